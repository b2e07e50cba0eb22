import { DerReader, DerTag, oidText } from './der.ts';

const COMMON_NAME = '2.5.4.3';

/**
 * The name that kmod prints for an X.501 Name: its first commonName, or its last attribute when it has none;
 * undefined for an empty name. `content` is the inside of the outer SEQUENCE.
 */
export function displayName(content: Uint8Array): string | undefined {
  let last: Uint8Array | undefined;
  const relativeNames = new DerReader(content, 'distinguished name');
  while (!relativeNames.atEnd) {
    const attributes = relativeNames.enter(DerTag.set);
    while (!attributes.atEnd) {
      const attribute = attributes.enter(DerTag.sequence);
      const type = oidText(attribute.next(DerTag.objectIdentifier).content);
      last = attribute.next().content;
      if (type === COMMON_NAME) return decodeName(last);
    }
  }
  return last === undefined ? undefined : decodeName(last);
}

function decodeName(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
