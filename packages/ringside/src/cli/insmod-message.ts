import { basename } from 'node:path';
import { strerror } from '../abi/index.ts';

const ENOENT = 2;
const ESRCH = 3;
const ENOEXEC = 8;
const EWOULDBLOCK = 11;
const EINVAL = 22;

/** The last line of `insmod` for a refusal, as kmod prints it. `errno` is positive. */
export function insmodError(path: string, errno: number): string {
  return `insmod: ERROR: could not insert module ${path}: ${insmodReason(errno)}`;
}

/** The last line of `rmmod`, which looks at the reference count first. */
export function rmmodError(name: string, errno: number): string {
  if (errno === EWOULDBLOCK) return `rmmod: ERROR: Module ${name} is in use`;
  return `rmmod: ERROR: could not remove module ${name}: ${strerror(errno)}`;
}

function insmodReason(errno: number): string {
  switch (errno) {
    case ENOEXEC:
      return 'Invalid module format';
    case ENOENT:
      return 'Unknown symbol in module';
    case ESRCH:
      return 'Module has wrong symbol version';
    case EINVAL:
      return 'Invalid parameters';
    default:
      return strerror(errno);
  }
}

export interface Refusal {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Positive. */
  readonly errno: number;
  /** What the kernel logged meanwhile, oldest first. */
  readonly logged: readonly string[];
  /** Release of the running kernel. */
  readonly release: string;
}

/** What the user can do about a refusal; `undefined` when the kernel's own words are all there is to say. */
export function insmodAdvice({ path, bytes, errno, logged, release }: Refusal): string | undefined {
  const notModule = whatItIs(bytes);
  if (notModule !== undefined) {
    return `"${path}" is ${notModule}: a module is an x86-64 ELF object that "make modules" or a distribution built.`;
  }
  const last = (pattern: RegExp) =>
    logged.map((text) => pattern.exec(text)).findLast((match) => match !== null);
  const magic = last(/version magic '(\S+).*' should be '(\S+)/);
  if (magic != null && magic[1] !== magic[2]) {
    return (
      `It was built for ${magic[1]}, the kernel is ${magic[2]}: add that kernel with ` +
      `"ringside kernel add /boot/vmlinuz-${magic[1]}" (or its .deb) and run with --kernel ${magic[1]}, or build the module against ${magic[2]}'s headers.`
    );
  }
  if (magic != null)
    return `It was built for ${magic[1]} with another configuration: build it against that kernel's own headers.`;
  const version = last(/disagrees about version of symbol (\S+)/);
  if (version != null) {
    return `${version[1]} is not the same in the kernel it was built for: build it against the headers of ${release}, or add its kernel with "ringside kernel add FILE".`;
  }
  const symbol = last(/Unknown symbol (\S+) \(err -2\)/);
  if (symbol != null) {
    return `Nothing loaded exports ${symbol[1]}: name the module that does before ${basename(path)}, as in "ringside run exporter.ko ${basename(path)}".`;
  }
  const limit = last(/(\S+): can only take (\d+) arguments/);
  if (limit != null) return `${limit[1]} takes at most ${limit[2]} values, separated by commas.`;
  const parameter = last(/`(.*)' invalid for parameter `(.*)'/);
  if (parameter != null) {
    return `"${parameter[1]}" is no value for ${parameter[2]}: "ringside modinfo -p ${path}" prints each parameter's type.`;
  }
  if (errno === ENOEXEC)
    return 'The file is damaged or cut off: build it again or compare it with its source.';
  return undefined;
}

/** For files that are no 64-bit x86 object at all: what they are. */
function whatItIs(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return 'empty';
  if (bytes[0] !== 0x7f || bytes[1] !== 0x45 || bytes[2] !== 0x4c || bytes[3] !== 0x46) {
    const text = bytes
      .subarray(0, 512)
      .every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13);
    return text ? 'a text file' : 'no ELF file';
  }
  if (bytes[4] === 1) return 'a 32-bit file';
  const machine = (bytes[18] ?? 0) | ((bytes[19] ?? 0) << 8);
  const machines: Readonly<Record<number, string>> = {
    40: 'ARM',
    183: 'arm64',
    243: 'RISC-V',
    22: 's390',
    21: 'PowerPC',
  };
  if (bytes.length > 19 && machine !== 62)
    return `built for another processor (${machines[machine] ?? `ELF machine ${machine}`})`;
  const type = (bytes[16] ?? 0) | ((bytes[17] ?? 0) << 8);
  if (type === 2 || type === 3) return 'a program or shared library';
  return undefined;
}
