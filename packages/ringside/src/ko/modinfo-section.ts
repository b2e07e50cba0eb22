import type { ModinfoEntry } from './module-spec.ts';

const decoders = { 'utf-8': new TextDecoder('utf-8'), latin1: new TextDecoder('latin1') };

/**
 * The strings of a `.modinfo` section in order, empty ones (padding) left out. A last string that lacks its NUL
 * is taken up to the section's end.
 */
export function readModinfoSection(
  data: Uint8Array,
  encoding: keyof typeof decoders = 'utf-8',
): ModinfoEntry[] {
  const entries: ModinfoEntry[] = [];
  for (let at = 0; at < data.length; ) {
    const nul = data.indexOf(0, at);
    const end = nul < 0 ? data.length : nul;
    if (end > at) {
      const text = decoders[encoding].decode(data.subarray(at, end));
      const equals = text.indexOf('=');
      entries.push(
        equals < 0
          ? { key: text, value: undefined, at }
          : { key: text.slice(0, equals), value: text.slice(equals + 1), at },
      );
    }
    at = end + 1;
  }
  return entries;
}
