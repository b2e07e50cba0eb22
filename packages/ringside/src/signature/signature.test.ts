import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkModuleSignature, formatHexField, readSignatureFields } from './index.ts';
import {
  appendSignature,
  KEY_ID,
  type MessageShape,
  makeCertificate,
  makeMessage,
} from './signed-module.fixture.ts';

const content = new TextEncoder().encode('a module, for all the signature knows '.repeat(20));
const serial = Uint8Array.from([0, 0x9f, 1, 2, 3]);
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const name = 'Test signing key';
const trusted = [makeCertificate(name, serial, rsa.publicKey)];
const base: MessageShape = { name, serial, privateKey: rsa.privateKey };

const check = (shape: Partial<MessageShape> = {}, keys = trusted) =>
  checkModuleSignature(appendSignature(content, makeMessage(content, { ...base, ...shape })), keys);

describe('a module signature', () => {
  test.each(['sha1', 'sha256', 'sha384', 'sha512'] as const)('by RSA with %s is verified', (digest) => {
    expect(check({ digest })).toEqual({ ok: true, signer: name, contentSize: content.length, log: [] });
  });

  test.each(['prime256v1', 'secp384r1'])('by ECDSA on %s is verified', (namedCurve) => {
    const pair = generateKeyPairSync('ec', { namedCurve });
    const keys = [makeCertificate(name, serial, pair.publicKey)];
    for (const digest of ['sha256', 'sha384', 'sha512'] as const) {
      expect(check({ digest, privateKey: pair.privateKey }, keys)).toMatchObject({ ok: true });
    }
    const other = generateKeyPairSync('ec', { namedCurve });
    expect(check({ privateKey: other.privateKey }, keys)).toMatchObject({ ok: false, errno: 'EKEYREJECTED' });
  });

  test('may name its signer by subject key identifier', () => {
    expect(check({ bySubjectKeyId: true })).toMatchObject({ ok: true, signer: name });
  });

  test('of a key that is not trusted leaves the module unverified: ENOKEY', () => {
    expect(check({}, [])).toMatchObject({ errno: 'ENOKEY', unverified: 'module with unavailable key' });
    expect(check({ serial: KEY_ID })).toMatchObject({ errno: 'ENOKEY' });
    expect(check({ name: 'Somebody else' })).toMatchObject({ errno: 'ENOKEY' });
  });

  test('that a trusted key did not make is rejected for good: EKEYREJECTED', () => {
    const file = appendSignature(content, makeMessage(content, base));
    file[17]! ^= 0x40;
    expect(checkModuleSignature(file, trusted)).toMatchObject({
      errno: 'EKEYREJECTED',
      unverified: undefined,
    });
    const imposter = generateKeyPairSync('rsa', { modulusLength: 2048 });
    expect(check({ privateKey: imposter.privateKey })).toMatchObject({ errno: 'EKEYREJECTED' });
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
    expect(check({ privateKey: short.privateKey })).toMatchObject({ errno: 'EKEYREJECTED' });
  });

  test('that is absent is ENODATA, and so it is for a module loaded with --force', () => {
    const file = appendSignature(content, makeMessage(content, base));
    const unsigned = { errno: 'ENODATA', unverified: 'unsigned module' };
    expect(checkModuleSignature(content, trusted)).toMatchObject({
      ...unsigned,
      contentSize: content.length,
    });
    expect(checkModuleSignature(file, trusted, { mangled: true })).toMatchObject({
      ...unsigned,
      contentSize: file.length,
    });
  });

  test('with a digest that the kernel lacks is ENOPKG', () => {
    expect(check({ digestOid: '2b0e03021b' })).toMatchObject({ errno: 'ENOPKG' });
    const file = appendSignature(content, makeMessage(content, { ...base, digest: 'sha512' }));
    const hasDigest = (digest: string) => digest !== 'sha512';
    expect(checkModuleSignature(file, trusted, { hasDigest })).toMatchObject({
      errno: 'ENOPKG',
      unverified: 'module with unsupported crypto',
    });
  });

  test('with an unknown algorithm is reported by the identifier’s place in the message', () => {
    const message = makeMessage(content, { ...base, digestOid: '2b0e03021b' });
    const file = appendSignature(content, message);
    const { log } = checkModuleSignature(file, trusted, { unknownOid: 98 });
    const at = Buffer.from(message).lastIndexOf('2b0e03021b', undefined, 'hex');
    expect(log.slice(-2)).toEqual([
      { level: 4, text: `PKCS7: Unknown OID: [${at}] 1.3.14.3.2.27` },
      { level: 4, text: 'Unsupported digest algo: 98' },
    ]);
  });

  test('must be a detached message without signed attributes, and the kernel says so', () => {
    expect(check({ attached: true })).toMatchObject({
      errno: 'EBADMSG',
      log: [
        { level: 4, text: 'PKCS7: Data already supplied' },
        { level: 3, text: 'PKCS#7 signature with non-detached data' },
      ],
    });
    const [contentType, messageDigest, smime] = [
      '2a864886f70d010903',
      '2a864886f70d010904',
      '2a864886f70d01090f',
    ];
    const says = (text: string) => [{ level: 4, text: `PKCS7: ${text}` }];
    expect(check({ signedAttributes: [contentType, messageDigest] })).toMatchObject({
      errno: 'EKEYREJECTED',
      log: says('Invalid module sig (has authattrs)'),
    });
    expect(check({ signedAttributes: [contentType, smime] })).toMatchObject({
      errno: 'EKEYREJECTED',
      log: says('S/MIME Caps only allowed with Authenticode'),
    });
    expect(check({ signedAttributes: [contentType, contentType] })).toMatchObject({
      errno: 'EKEYREJECTED',
      log: says('Repeated/multivalue AuthAttrs not permitted'),
    });
    expect(check({ signedAttributes: [contentType] })).toMatchObject({
      errno: 'EBADMSG',
      log: says('Missing required AuthAttr'),
    });
    expect(check({ dataType: '2a864886f70d010703' })).toMatchObject({ errno: 'EINVAL' });
    expect(check({ version: 2 })).toMatchObject({
      errno: 'EINVAL',
      log: [{ level: 4, text: 'PKCS7: Unsupported SignedData version' }],
    });
    expect(check({ version: 3 })).toMatchObject({ ok: true });
  });

  test('with a false trailer is EBADMSG, or ENOPKG for another kind of message', () => {
    const message = makeMessage(content, base);
    const trailer = (idType: number, hash: number, size: number) =>
      checkModuleSignature(appendSignature(content, message, { idType, hash, size }), trusted);
    expect(trailer(2, 0, 0xffff_ffff)).toMatchObject({ errno: 'EBADMSG' });
    expect(trailer(2, 0, content.length + message.length)).toMatchObject({ errno: 'EBADMSG' });
    expect(trailer(2, 0, message.length - 1)).toMatchObject({ errno: 'EBADMSG' });
    expect(trailer(2, 4, message.length)).toMatchObject({
      errno: 'EBADMSG',
      log: [{ level: 3, text: 'module: PKCS#7 signature info has unexpected non-zero params' }],
    });
    expect(trailer(1, 0, message.length)).toMatchObject({
      errno: 'ENOPKG',
      contentSize: content.length + message.length + 12,
    });
    const marker = new TextEncoder().encode('~Module signature appended~\n');
    expect(checkModuleSignature(marker, trusted)).toMatchObject({ errno: 'ENODATA' });
    expect(checkModuleSignature(Uint8Array.from([1, 2, ...marker]), trusted)).toMatchObject({
      errno: 'EBADMSG',
    });
  });

  test('with any byte changed is refused with an errno, and readable for modinfo or passed over', () => {
    const file = appendSignature(content, makeMessage(content, base));
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const mutant = Uint8Array.from(file);
        mutant[at]! ^= flip;
        const result = checkModuleSignature(mutant, trusted);
        if (!result.ok) seen.add(result.errno);
        if (at < content.length) expect(result).toMatchObject({ ok: false, errno: 'EKEYREJECTED' });
        readSignatureFields(mutant);
      }),
      { seed: 7, numRuns: 3000 },
    );
    expect([...seen].sort()).toEqual(['EBADMSG', 'EINVAL', 'EKEYREJECTED', 'ENODATA', 'ENOKEY', 'ENOPKG']);
  });
});

describe('the signature fields of modinfo', () => {
  test('give signer, serial number without its sign octet, digest and signature bytes', () => {
    const fields = readSignatureFields(appendSignature(content, makeMessage(content, base)));
    expect(fields).toMatchObject({ sig_id: 'PKCS#7', signer: name, sig_hashalgo: 'sha256' });
    expect(formatHexField(fields!.sig_key)).toBe('9F:01:02:03');
    expect(fields!.signature).toHaveLength(256);
  });

  test('of the ancient format come from the lengths in the trailer', () => {
    const file = appendSignature(content, Uint8Array.from([1, 2, 3]), { idType: 1, hash: 4, size: 3 });
    expect(readSignatureFields(file)).toMatchObject({ sig_id: 'X509', sig_hashalgo: 'sha256', signer: '' });
  });

  test('break after every twenty bytes', () => {
    expect(formatHexField(new Uint8Array(20))).toBe(`${'00:'.repeat(19)}00`);
    expect(formatHexField(new Uint8Array(21))).toBe(`${'00:'.repeat(20)}\n\t\t00`);
    expect(formatHexField(new Uint8Array())).toBe('');
  });

  test('do not exist for an unsigned file, nor for a digest that has no name', () => {
    const unknown = appendSignature(content, makeMessage(content, { ...base, digestOid: '2b0e03021b' }));
    expect(readSignatureFields(unknown)).toBeUndefined();
    expect(readSignatureFields(content)).toBeUndefined();
  });
});
