import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync, gunzipSync, inflateSync } from 'node:zlib';
import { FormatError, InputError } from '../bytes/index.ts';
import {
  encodeSpec,
  type Inflate,
  isSpecFile,
  type KernelFacts,
  type KernelSpec,
  openSpec,
  readKernel,
  specOfFacts,
} from '../image/index.ts';
import { specDirectory } from './spec-directory.ts';

const SUFFIX = '.ringside-spec';
const BUILT_IN = `debian-12-amd64${SUFFIX}`;
const RELEASE = /^[A-Za-z0-9_][\w.+~-]*$/;

/** Node's zlib as the decoder of spec files. */
export const inflate: Inflate = (stored, size) => inflateSync(stored, { maxOutputLength: Math.max(1, size) });

export interface StoredSpec {
  /** What `--kernel` takes. */
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly builtIn: boolean;
}

export interface SpecStoreOptions {
  /** Default: `specDirectory()`. */
  readonly directory?: string;
}

/** Opens a spec file. Throws `InputError` when it cannot be read, `FormatError` when it is damaged. */
export function openSpecFile(path: string): KernelSpec {
  return inFile(path, () => openSpec(readInput(path), inflate));
}

/** Where the spec lies that comes with the package. */
export function builtInSpecPath(): string {
  // The same code runs from `src/node/` and from the bundle in `dist/`.
  let directory = dirname(fileURLToPath(import.meta.url));
  for (let level = 0; level < 4; level++) {
    const path = join(directory, 'specs', BUILT_IN);
    if (existsSync(path)) return path;
    directory = dirname(directory);
  }
  throw new InputError(
    `Cannot find the built-in kernel ${BUILT_IN}: the installation is not complete; reinstall it`,
  );
}

/** The kernel that comes with the package. */
export function openBuiltInSpec(): KernelSpec {
  return openSpecFile(builtInSpecPath());
}

/** All kernels that can be named: the built-in one, then the user's own by name. */
export function listSpecs(options: SpecStoreOptions = {}): StoredSpec[] {
  const directory = options.directory ?? specDirectory();
  const builtIn = builtInSpecPath();
  const own = readNames(directory)
    .filter((file) => file.endsWith(SUFFIX) && !file.startsWith('.'))
    .sort()
    .flatMap((file): StoredSpec[] => {
      const path = join(directory, file);
      const size = statSync(path, { throwIfNoEntry: false })?.size;
      return size === undefined
        ? []
        : [{ name: file.slice(0, -SUFFIX.length), path, sizeBytes: size, builtIn: false }];
    });
  return [
    {
      name: basename(builtIn).slice(0, -SUFFIX.length),
      path: builtIn,
      sizeBytes: statSync(builtIn).size,
      builtIn: true,
    },
    ...own,
  ];
}

/**
 * Keeps a kernel under its release, in place of one of the same release. The file appears whole or not at all, also
 * when several processes do this at once. Throws `InputError` when it cannot be written.
 */
export function addSpec(facts: KernelFacts, options: SpecStoreOptions = {}): StoredSpec {
  const directory = options.directory ?? specDirectory();
  if (!RELEASE.test(facts.release)) {
    throw new FormatError(`kernel release ${JSON.stringify(facts.release)} cannot be a file name`);
  }
  const path = join(directory, facts.release + SUFFIX);
  const bytes = encodeSpec(facts, (content) => deflateSync(content, { level: 9 }));
  writeWhole(path, bytes);
  return { name: facts.release, path, sizeBytes: bytes.length, builtIn: false };
}

/**
 * The kernel that `--kernel` names: a release in the store, the built-in kernel by name or release, a spec file, or
 * a kernel image or package. Nothing: the built-in kernel. Throws `InputError` for everything that is none.
 */
export async function resolveKernel(name?: string, options: SpecStoreOptions = {}): Promise<KernelSpec> {
  if (name === undefined) return openBuiltInSpec();
  if (name === '') throw new InputError('Cannot use kernel "": the name is empty');
  if (RELEASE.test(name)) {
    const stored = join(options.directory ?? specDirectory(), name + SUFFIX);
    if (existsSync(stored)) return openSpecFile(stored);
    const builtIn = openBuiltInSpec();
    if (name === builtIn.release || name + SUFFIX === BUILT_IN) return builtIn;
  }
  if (!existsSync(name)) {
    const known = [
      openBuiltInSpec().release,
      ...listSpecs(options).flatMap((each) => (each.builtIn ? [] : each.name)),
    ];
    throw new InputError(
      `Cannot use kernel "${name}": no kernel of that name is known and there is no such file; known are ` +
        `${[...new Set(known)].join(', ')}; add one with "ringside kernel add FILE" (a vmlinuz or a kernel .deb)`,
    );
  }
  const bytes = readInput(name);
  if (isSpecFile(bytes)) return inFile(name, () => openSpec(bytes, inflate));
  return specOfFacts(await readKernelFile(name, bytes));
}

/** Reads a kernel image or package with the config that lies beside it, as in `/boot`. */
export async function readKernelFile(path: string, content?: Uint8Array): Promise<KernelFacts> {
  const bytes = content ?? readInput(path);
  const config = configBeside(path);
  try {
    return await readKernel(bytes, {
      ...(config === undefined ? {} : { config }),
      inflate: async (stored, maxBytes) => gunzipSync(stored, { maxOutputLength: maxBytes }),
    });
  } catch (error) {
    throw inputErrorFor(path, error);
  }
}

/** `config-X` beside `vmlinuz-X`, or the `.config` of a build tree. */
function configBeside(path: string): string | undefined {
  const version = /^vmlinu[xz]-(.+)$/.exec(basename(path))?.[1];
  const beside = join(dirname(path), version === undefined ? '.config' : `config-${version}`);
  return existsSync(beside) ? readFileSync(beside, 'utf8') : undefined;
}

function readInput(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InputError(`Cannot read "${path}": ${reason(error)}`, { cause: error });
  }
}

function readNames(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw new InputError(`Cannot list kernels in "${directory}": ${reason(error)}`, { cause: error });
  }
}

/** `mkdir -p`. Node's own never ends where a directory cannot be made although its parent exists (`/proc`). */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && statSync(path).isDirectory()) return;
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    makeDirectory(dirname(path));
    mkdirSync(path);
  }
}

function writeWhole(path: string, bytes: Uint8Array): void {
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}`);
  try {
    makeDirectory(directory);
    const file = openSync(temporary, 'wx');
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    discard(temporary);
    throw new InputError(
      `Cannot store "${path}": ${reason(error)}; set XDG_CACHE_HOME to use another place`,
      {
        cause: error,
      },
    );
  }
}

/** Takes away what was half written; where nothing can be, there is nothing to take away. */
function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The reason why writing failed is the one to report.
  }
}

function inFile<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw inputErrorFor(path, error);
  }
}

function inputErrorFor(path: string, error: unknown): unknown {
  if (!(error instanceof FormatError || error instanceof InputError)) return error;
  const way = path.endsWith(SUFFIX)
    ? '; the file is damaged: make it again with "ringside kernel add FILE", or remove it'
    : '';
  return new InputError(`Cannot use kernel "${path}": ${error.message}${way}`, { cause: error });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a directory',
  ENOTDIR: 'part of the path is not a directory',
  ENOSPC: 'no space left on device',
  EDQUOT: 'disk quota exceeded',
  EROFS: 'the file system is read-only',
};

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function reason(error: unknown): string {
  const code = codeOf(error);
  return (
    (code === undefined ? undefined : REASONS[code]) ??
    (error instanceof Error ? error.message : String(error))
  );
}
