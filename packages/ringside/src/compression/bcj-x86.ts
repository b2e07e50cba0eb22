/** By the three flags of recent opcode bytes: whether an operand may begin here. */
const mayConvert = [true, true, true, false, true, false, false, false];
/** By the same flags: how many bytes back the last opcode-like byte was. */
const distance = [0, 1, 2, 2, 3, 3, 3, 3];

const isHighByte = (byte: number): boolean => byte === 0 || byte === 0xff;

/**
 * Undoes xz's BCJ filter for x86 in place: operands of `call` and `jmp`, which the encoder made absolute, become
 * relative again. The whole of a block must be given at once; `startOffset` is the filter's property.
 *
 * Source: the xz format's reference decoder (public domain), which defines the filter by its algorithm.
 */
export function undoBcjX86(data: Uint8Array, startOffset = 0): void {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let flags = 0;
  let previous = -1;
  for (let at = 0; at < data.length - 4; at++) {
    if ((data[at]! & 0xfe) !== 0xe8) continue;
    const gap = at - previous;
    previous = at;
    if (gap > 3) {
      flags = 0;
    } else {
      flags = (flags << (gap - 1)) & 7;
      if (flags !== 0 && (!mayConvert[flags] || isHighByte(data[at + 4 - distance[flags]!]!))) {
        flags = (flags << 1) | 1;
        continue;
      }
    }
    if (!isHighByte(data[at + 4]!)) {
      flags = (flags << 1) | 1;
      continue;
    }
    let operand = view.getInt32(at + 1, true);
    let relative: number;
    for (;;) {
      relative = (operand - (startOffset + at + 5)) | 0;
      if (flags === 0) break;
      const shift = distance[flags]! * 8;
      if (!isHighByte((relative >>> (24 - shift)) & 0xff)) break;
      operand = relative ^ ((2 ** (32 - shift) - 1) | 0);
    }
    // The encoder keeps 25 bits; the top byte is their sign.
    view.setInt32(at + 1, (relative << 7) >> 7, true);
    at += 4;
  }
}
