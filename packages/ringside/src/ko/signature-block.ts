import { ByteReader, FormatError } from '../bytes/index.ts';
import type { SignatureBlock } from './module-spec.ts';

/** What ends a signed module. Source: include/linux/module_signature.h. */
export const MODULE_SIG_STRING = '~Module signature appended~\n';

/** Size in bytes of `struct module_signature`. */
export const MODULE_SIGNATURE_SIZE = 12;

const marker = new TextEncoder().encode(MODULE_SIG_STRING);

/** Whether the file ends with the marker of an appended signature. */
export function hasSignatureMarker(bytes: Uint8Array): boolean {
  const start = bytes.length - marker.length;
  return start >= 0 && marker.every((byte, index) => bytes[start + index] === byte);
}

/**
 * The signature block at the end of a module; undefined when the file has no marker. Throws `FormatError` when
 * there is a marker but the lengths before it do not fit.
 */
export function readSignatureBlock(bytes: Uint8Array): SignatureBlock | undefined {
  if (!hasSignatureMarker(bytes)) return undefined;
  const at = bytes.length - marker.length - MODULE_SIGNATURE_SIZE;
  if (at < 0) throw new FormatError('no room for a signature block before the signature marker');
  const reader = new ByteReader(bytes, 'module signature');
  const signatureLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + 8, false);
  if (signatureLength > at) {
    throw new FormatError(`signature of ${signatureLength} bytes is larger than the module`, {
      offset: at + 8,
    });
  }
  const moduleSize = at - signatureLength;
  return {
    algo: reader.u8(at),
    hash: reader.u8(at + 1),
    idType: reader.u8(at + 2),
    signerLength: reader.u8(at + 3),
    keyIdLength: reader.u8(at + 4),
    signatureLength,
    moduleSize,
    signature: reader.slice(moduleSize, signatureLength),
  };
}
