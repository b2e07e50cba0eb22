import { createSign, type KeyObject } from 'node:crypto';
import { type Certificate, parseCertificate } from './certificate.ts';

/** Builds certificates and signed files for tests, with Node's own cryptography as the second opinion. */

export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Uint8Array.from([tag, ...length]), content]);
}

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const oid = (text: string) => der(0x06, hex(text));
const NULL_VALUE = hex('0500');

function commonName(text: string): Uint8Array {
  return der(0x30, der(0x31, der(0x30, oid('550403'), der(0x0c, new TextEncoder().encode(text)))));
}

export const KEY_ID = hex('00112233445566778899aabbccddeeff00112233');

export function makeCertificate(name: string, serial: Uint8Array, publicKey: KeyObject): Certificate {
  const never = der(0x30, der(0x17, new TextEncoder().encode('200101000000Z')), der(0x17, hex('00')));
  const keyId = der(0x30, oid('551d0e'), der(0x04, der(0x04, KEY_ID)));
  const body = der(
    0x30,
    der(0xa0, der(0x02, hex('02'))),
    der(0x02, serial),
    der(0x30, oid('2a864886f70d01010b'), NULL_VALUE),
    commonName(name),
    never,
    commonName(name),
    new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    der(0xa3, der(0x30, keyId)),
  );
  return parseCertificate(der(0x30, body, der(0x30, oid('2a864886f70d01010b')), der(0x03, hex('00'))));
}

export interface MessageShape {
  readonly name: string;
  readonly serial: Uint8Array;
  readonly privateKey: KeyObject;
  readonly digest?: 'sha1' | 'sha256' | 'sha384' | 'sha512';
  readonly bySubjectKeyId?: boolean;
  readonly digestOid?: string;
  readonly attached?: boolean;
  /** Object identifiers as hexadecimal bytes. */
  readonly signedAttributes?: readonly string[];
  readonly dataType?: string;
  readonly version?: number;
}

const DIGEST_OIDS = {
  sha1: '2b0e03021a',
  sha256: '608648016503040201',
  sha384: '608648016503040202',
  sha512: '608648016503040203',
};

export function makeMessage(content: Uint8Array, shape: MessageShape): Uint8Array {
  const digest = shape.digest ?? 'sha256';
  const signature = createSign(digest).update(content).sign(shape.privateKey);
  const rsa = shape.privateKey.asymmetricKeyType === 'rsa';
  const digestAlgorithm = der(0x30, oid(shape.digestOid ?? DIGEST_OIDS[digest]));
  const version = der(0x02, Uint8Array.from([shape.version ?? (shape.bySubjectKeyId ? 3 : 1)]));
  const signer = shape.bySubjectKeyId
    ? der(0x80, KEY_ID)
    : der(0x30, commonName(shape.name), der(0x02, shape.serial));
  const attribute = (type: string, value: Uint8Array) => der(0x30, oid(type), der(0x31, value));
  const attributes = (shape.signedAttributes ?? []).map((type) => attribute(type, der(0x04, hex('00'))));
  const signedAttributes = attributes.length === 0 ? [] : [der(0xa0, ...attributes)];
  const encryption = rsa
    ? der(0x30, oid('2a864886f70d010101'), NULL_VALUE)
    : der(0x30, oid('2a8648ce3d040302'));
  const signerInfo = der(
    0x30,
    version,
    signer,
    digestAlgorithm,
    ...signedAttributes,
    encryption,
    der(0x04, signature),
  );
  const inner = shape.attached ? [der(0xa0, der(0x04, content))] : [];
  const signedData = der(
    0x30,
    version,
    der(0x31, digestAlgorithm),
    der(0x30, oid(shape.dataType ?? '2a864886f70d010701'), ...inner),
    der(0x31, signerInfo),
  );
  return der(0x30, oid('2a864886f70d010702'), der(0xa0, signedData));
}

export function appendSignature(
  content: Uint8Array,
  message: Uint8Array,
  info = { idType: 2, hash: 0, size: message.length },
): Uint8Array {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(info.size);
  const head = Uint8Array.from([0, info.hash, info.idType, 0, 0, 0, 0, 0]);
  return new Uint8Array(
    Buffer.concat([content, message, head, size, Buffer.from('~Module signature appended~\n')]),
  );
}
