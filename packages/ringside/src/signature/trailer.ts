import { ByteReader } from '../bytes/index.ts';

/** The last bytes of a signed module. Source: include/linux/module_signature.h. */
const MARKER = new TextEncoder().encode('~Module signature appended~\n');
/** Bytes in `struct module_signature`, which stands before the marker. */
const INFO_SIZE = 12;

/** `struct module_signature`: the lengths and kinds of what stands before it. */
export interface SignatureInfo {
  readonly algo: number;
  readonly hash: number;
  readonly idType: number;
  readonly signerLength: number;
  readonly keyIdLength: number;
  readonly padIsZero: boolean;
  readonly signatureLength: number;
}

/** A module file that ends in the signature marker. */
export interface SignedFile {
  /** Bytes before the marker. */
  readonly size: number;
  /** Undefined when there is no room for the structure. */
  readonly info: SignatureInfo | undefined;
  /** Bytes before `struct module_signature`, i.e. the module and its signature. */
  readonly sizeBeforeInfo: number;
}

/** Looks for the marker of an appended signature; undefined when the file does not end in it. */
export function findSignature(file: Uint8Array): SignedFile | undefined {
  const size = file.length - MARKER.length;
  if (size <= 0 || !MARKER.every((byte, index) => file[size + index] === byte)) return undefined;
  const sizeBeforeInfo = size - INFO_SIZE;
  if (sizeBeforeInfo < 0) return { size, info: undefined, sizeBeforeInfo: 0 };
  const reader = new ByteReader(file, 'module signature');
  const at = sizeBeforeInfo;
  const pad = [reader.u8(at + 5), reader.u8(at + 6), reader.u8(at + 7)];
  const info: SignatureInfo = {
    algo: reader.u8(at),
    hash: reader.u8(at + 1),
    idType: reader.u8(at + 2),
    signerLength: reader.u8(at + 3),
    keyIdLength: reader.u8(at + 4),
    padIsZero: pad.every((byte) => byte === 0),
    signatureLength: new DataView(file.buffer, file.byteOffset + at + 8, 4).getUint32(0, false),
  };
  return { size, info, sizeBeforeInfo };
}

/** Values of `module_signature.id_type`. Source: include/linux/module_signature.h. */
export const SignatureIdType = { pgp: 0, x509: 1, pkcs7: 2 } as const;
