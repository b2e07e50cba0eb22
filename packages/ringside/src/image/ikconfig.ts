import { type DecompressOptions, decompress } from '../compression/index.ts';
import { TextKernelConfig } from './kernel-config.ts';

const START = 'IKCFG_ST';
const END = 'IKCFG_ED';

/** The `.config` that `CONFIG_IKCONFIG` puts into the kernel, between two marks. Source: kernel/configs.c. */
export async function readIkconfig(
  rodata: Uint8Array,
  options: DecompressOptions = {},
): Promise<TextKernelConfig | undefined> {
  const start = find(rodata, START, 0);
  if (start < 0) return undefined;
  const end = find(rodata, END, start);
  if (end < 0) return undefined;
  const text = await decompress(rodata.subarray(start + START.length, end), 'gzip', options);
  return new TextKernelConfig(new TextDecoder().decode(text));
}

function find(bytes: Uint8Array, mark: string, from: number): number {
  for (let at = bytes.indexOf(mark.charCodeAt(0), from); at >= 0; ) {
    let length = 1;
    while (length < mark.length && bytes[at + length] === mark.charCodeAt(length)) length++;
    if (length === mark.length) return at;
    at = bytes.indexOf(mark.charCodeAt(0), at + 1);
  }
  return -1;
}
