import { contextTag, DerReader, DerTag, oidText } from './der.ts';

/** The content type of a SignedData message. */
export const OID_SIGNED_DATA = '1.2.840.113549.1.7.2';

/** Who signed: the certificate's issuer and serial number, or its subject key identifier. */
export type SignerId =
  | { readonly kind: 'issuer-and-serial'; readonly issuer: Uint8Array; readonly serial: Uint8Array }
  | { readonly kind: 'subject-key-id'; readonly keyId: Uint8Array };

/** One SignerInfo of a SignedData message. Object identifiers are dotted. */
export interface SignerInfo {
  readonly id: SignerId;
  readonly digestOid: string;
  readonly signatureOid: string;
  readonly hasSignedAttributes: boolean;
  readonly signature: Uint8Array;
}

/** A PKCS#7 / CMS SignedData message, as far as module signatures use it. */
export interface SignedData {
  readonly dataType: string;
  readonly hasContent: boolean;
  readonly signers: readonly SignerInfo[];
}

/**
 * What a reader comes across, in the order of the message: whoever checks a message must see its parts before
 * what follows them turns out to be malformed. Versions that are not one byte are -1.
 */
export type SignedDataEvent =
  | { readonly kind: 'oid'; readonly oid: string; readonly offset: number }
  | { readonly kind: 'content-type'; readonly oid: string }
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'data-type'; readonly oid: string }
  | { readonly kind: 'signer-version'; readonly version: number }
  | { readonly kind: 'digest'; readonly oid: string }
  | { readonly kind: 'attribute'; readonly oid: string }
  | { readonly kind: 'attributes-end' }
  | { readonly kind: 'public-key'; readonly oid: string };

type Visit = (event: SignedDataEvent) => void;

/**
 * Reads a message; bytes after it are left alone. Throws `FormatError`. Source: RFC 2315, RFC 5652, and for what may
 * be left out crypto/asymmetric_keys/pkcs7.asn1, 6.1.
 */
export function parseSignedData(bytes: Uint8Array, visit: Visit = () => {}): SignedData {
  const contentInfo = new DerReader(bytes, 'module signature').enter(DerTag.sequence);
  visit({ kind: 'content-type', oid: readOid(contentInfo, visit) });
  const wrapper = contentInfo.enter(contextTag(0));
  contentInfo.end();
  const signedData = wrapper.enter(DerTag.sequence);
  wrapper.end();
  visit({ kind: 'version', version: smallInteger(signedData.next(DerTag.integer).content) });
  const algorithms = setOrSequence(signedData);
  while (!algorithms.atEnd) readAlgorithm(algorithms, visit);
  const inner = signedData.enter(DerTag.sequence);
  const dataType = readOid(inner, visit);
  // The kernel's grammar notes this identifier twice, and says so twice when it is unknown.
  visit({ kind: 'oid', oid: dataType, offset: inner.lastContentOffset });
  const hasContent = inner.optional(contextTag(0)) !== undefined;
  inner.end();
  visit({ kind: 'data-type', oid: dataType });
  for (const number of [0, 2, 1, 3]) signedData.optional(contextTag(number));
  const list = setOrSequence(signedData);
  const signers: SignerInfo[] = [];
  while (!list.atEnd) signers.push(readSignerInfo(list.enter(DerTag.sequence), visit));
  signedData.end();
  return { dataType, hasContent, signers };
}

function readSignerInfo(info: DerReader, visit: Visit): SignerInfo {
  visit({ kind: 'signer-version', version: smallInteger(info.next(DerTag.integer).content) });
  const id = readSignerId(info, visit);
  const digestOid = readAlgorithm(info, visit);
  visit({ kind: 'digest', oid: digestOid });
  const hasSignedAttributes = readAttributes(info, visit);
  const signatureOid = readAlgorithm(info, visit);
  visit({ kind: 'public-key', oid: signatureOid });
  const signature = info.next(DerTag.octetString).content;
  for (const number of [1, 3]) info.optional(contextTag(number));
  info.end();
  return { id, digestOid, signatureOid, hasSignedAttributes, signature };
}

function readSignerId(info: DerReader, visit: Visit): SignerId {
  const keyId = info.optional(contextTag(0, false));
  if (keyId !== undefined) return { kind: 'subject-key-id', keyId: keyId.content };
  const both = info.enter(DerTag.sequence);
  const name = both.next(DerTag.sequence);
  const relativeNames = both.into(name);
  while (!relativeNames.atEnd) {
    const attributes = relativeNames.enter(DerTag.set);
    while (!attributes.atEnd) {
      const attribute = attributes.enter(DerTag.sequence);
      readOid(attribute, visit);
      attribute.next();
      attribute.end();
    }
  }
  const serial = both.next(DerTag.integer).content;
  both.end();
  return { kind: 'issuer-and-serial', issuer: name.content, serial };
}

/** The signed attributes, a set or a wrapped sequence; whether there are any. */
function readAttributes(info: DerReader, visit: Visit): boolean {
  const set = info.optional(contextTag(0));
  const wrapped = set === undefined ? info.optional(contextTag(2)) : undefined;
  if (set === undefined && wrapped === undefined) return false;
  const attributes = set === undefined ? info.into(wrapped!).enter(DerTag.sequence) : info.into(set);
  while (!attributes.atEnd) {
    const attribute = attributes.enter(DerTag.sequence);
    const oid = readOid(attribute, visit);
    const values = attribute.enter(DerTag.set);
    while (!values.atEnd) {
      values.next();
      visit({ kind: 'attribute', oid });
    }
    attribute.end();
  }
  if (set !== undefined) visit({ kind: 'attributes-end' });
  return true;
}

/** An AlgorithmIdentifier, whose parameters mean nothing here. */
function readAlgorithm(reader: DerReader, visit: Visit): string {
  const algorithm = reader.enter(DerTag.sequence);
  const oid = readOid(algorithm, visit);
  if (!algorithm.atEnd) algorithm.next();
  algorithm.end();
  return oid;
}

function readOid(reader: DerReader, visit: Visit): string {
  const oid = oidText(reader.next(DerTag.objectIdentifier).content);
  visit({ kind: 'oid', oid, offset: reader.lastContentOffset });
  return oid;
}

function setOrSequence(reader: DerReader): DerReader {
  return reader.enter(reader.peekTag() === DerTag.sequence ? DerTag.sequence : DerTag.set);
}

function smallInteger(content: Uint8Array): number {
  return content.length === 1 ? content[0]! : -1;
}
