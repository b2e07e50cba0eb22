import { FormatError, UnsupportedError } from '../bytes/index.ts';
import { parseCertificate } from '../signature/index.ts';
import type { SymbolTable, TrustedKey } from './kernel-spec.ts';
import type { Vmlinux } from './vmlinux.ts';

/** The certificates compiled into the kernel (`system_certificate_list`), one DER certificate after another. */
export function readTrustedKeys(image: Vmlinux, symbols: SymbolTable): readonly TrustedKey[] {
  const list = symbols.lookup('system_certificate_list');
  const sizeSymbol = symbols.lookup('system_certificate_list_size');
  if (list === undefined || sizeSymbol === undefined) return [];
  const sizeBytes = image.at(sizeSymbol.address, 8);
  const size = new DataView(sizeBytes.buffer, sizeBytes.byteOffset, 8).getUint32(0, true);
  return splitCertificates(image.at(list.address, size)).map(describeCertificate);
}

/** What a certificate is called; a kind of key that Ringside cannot check with is kept, without a name. */
export function describeCertificate(der: Uint8Array): TrustedKey {
  try {
    const { name, serial, subjectKeyId } = parseCertificate(der);
    return {
      der,
      subject: name,
      serial: hex(serial),
      subjectKeyId: subjectKeyId === undefined ? undefined : hex(subjectKeyId),
    };
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return { der, subject: '', serial: '', subjectKeyId: undefined };
  }
}

function splitCertificates(list: Uint8Array): Uint8Array[] {
  const certificates: Uint8Array[] = [];
  for (let at = 0; at < list.length; ) {
    // As the kernel's own reader: a SEQUENCE with a length of two bytes.
    if (list[at] !== 0x30 || list[at + 1] !== 0x82 || at + 4 > list.length) {
      throw new FormatError('no certificate', { section: 'system_certificate_list', offset: at });
    }
    const size = ((list[at + 2]! << 8) | list[at + 3]!) + 4;
    if (at + size > list.length) {
      throw new FormatError('certificate is cut off', { section: 'system_certificate_list', offset: at });
    }
    certificates.push(list.subarray(at, at + size));
    at += size;
  }
  return certificates;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
