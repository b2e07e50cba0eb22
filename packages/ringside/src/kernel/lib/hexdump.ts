import { isascii, isprint, isxdigit } from './ctype.ts';

/** How `print_hex_dump` begins each line. Source: Linux 6.1 include/linux/printk.h. */
export const DUMP_PREFIX_ADDRESS = 1;
export const DUMP_PREFIX_OFFSET = 2;

/** One line of a dump: what fits into the buffer, and what `hex_dump_to_buffer` returns. */
export interface HexDumpLine {
  /** Stored text, without its NUL. `undefined` when not even a NUL fits. */
  readonly text: string | undefined;
  readonly length: number;
}

export function rowSizeOf(rowsize: number): 16 | 32 {
  return rowsize === 32 ? 32 : 16;
}

/**
 * `hex_dump_to_buffer`: one line of at most `rowsize` (16 or 32) bytes, in groups of 1, 2, 4 or 8 little-endian
 * bytes, and as text when `ascii`. A buffer that is too small gets whole groups (larger than one byte) or as
 * many characters as fit, and the length that was needed is returned.
 */
export function hexDumpLine(
  bytes: Uint8Array,
  rowsize: number,
  groupsize: number,
  bufferSize: number,
  ascii: boolean,
): HexDumpLine {
  const row = rowSizeOf(rowsize);
  const data = bytes.subarray(0, row);
  let group = [1, 2, 4, 8].includes(groupsize) ? groupsize : 1;
  if (data.length % group !== 0) group = 1;
  const groupCount = data.length / group;
  const asciiColumn = row * 2 + row / group + 1;
  const needed = ascii ? asciiColumn + data.length : (group * 2 + 1) * groupCount - 1;
  if (bufferSize === 0) return { text: undefined, length: needed };
  if (data.length === 0) return { text: '', length: 0 };

  const groups: string[] = [];
  for (let start = 0; start < data.length; start += group) {
    let hex = '';
    for (let i = group - 1; i >= 0; i--) hex += data[start + i]!.toString(16).padStart(2, '0');
    groups.push(hex);
  }
  let text = groups.join(' ');
  if (group > 1 && text.length >= bufferSize) {
    // A group that does not fit is cut by snprintf, and ends the line.
    return { text: text.slice(0, bufferSize - 1), length: needed };
  }
  if (ascii) {
    text = text.padEnd(asciiColumn);
    for (const byte of data) text += isascii(byte) && isprint(byte) ? String.fromCharCode(byte) : '.';
  } else if (group === 1 && text.length + 2 === bufferSize + 1) {
    // Room for the space that follows every byte is asked for behind the last one too.
    return { text: text.slice(0, bufferSize - 1), length: needed };
  }
  if (text.length >= bufferSize) return { text: text.slice(0, bufferSize - 1), length: needed };
  return { text, length: text.length };
}

/**
 * The lines that `print_hex_dump` prints, each without level.
 * @param prefix Text of the prefix for a line, given the offset of its first byte.
 */
export function* hexDumpLines(
  bytes: Uint8Array,
  rowsize: number,
  groupsize: number,
  ascii: boolean,
  prefix: (offset: number) => string,
): Generator<string> {
  const row = rowSizeOf(rowsize);
  for (let offset = 0; offset < bytes.length; offset += row) {
    const line = hexDumpLine(
      bytes.subarray(offset, offset + row),
      row,
      groupsize,
      32 * 3 + 2 + 32 + 1,
      ascii,
    );
    yield `${prefix(offset)}${line.text ?? ''}\n`;
  }
}

/** `bin2hex`. */
export function bin2hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** `hex_to_bin`: the value of a hexadecimal digit, or -1. */
export function hexToBin(byte: number): number {
  return isxdigit(byte) ? Number.parseInt(String.fromCharCode(byte), 16) : -1;
}

/** `hex2bin`: `count` bytes from twice as many digits; `undefined` when one is no digit. */
export function hex2bin(text: Uint8Array, count: number): Uint8Array | undefined {
  const out = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const high = hexToBin(text[2 * i] ?? 0);
    const low = hexToBin(text[2 * i + 1] ?? 0);
    if (high < 0 || low < 0) return undefined;
    out[i] = (high << 4) | low;
  }
  return out;
}
