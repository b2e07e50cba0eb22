import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { FormatError, UnsupportedError } from '../bytes/index.ts';
import { decompress, decompressDetected, detectCompression } from './index.ts';

const text = `${'All work and no play makes Jack a dull boy.\n'.repeat(50)}end\n`;
const bytes = new TextEncoder().encode(text);
const fromBase64 = (data: string): Uint8Array => new Uint8Array(Buffer.from(data, 'base64'));

const samples = {
  xzCrc32:
    '/Td6WFoAAAFpIt42AgAhARYAAAB0L+Wj4AibAD9dACCbLEB3N5xr//KMOGKw+Qc1orsYc8VbKUPYeqlgg5dnHv8L1CaaguSmJEIjDV9Hw0nyOsuZkMuEuwxk+jGAAAAA/RP0nwABV5wRAAAAeRaNLj4wDYsCAAAAAAFZWg==',
  xzCrc64:
    '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AibAD9dACCbLEB3N5xr//KMOGKw+Qc1orsYc8VbKUPYeqlgg5dnHv8L1CaaguSmJEIjDV9Hw0nyOsuZkMuEuwxk+jGAAAAAAzdYIjtSMIcAAVucEQAAAALWT1mxxGf7AgAAAAAEWVo=',
  xzBcj:
    '/Td6WFoAAAFpIt42AgEEACEBCADSuXTL4ASLAzpdAHQKGo/8rBZyRb960B8nCPjlcmnZ/06F3c9VNfJA3fehfLEdvTqStc27JCqTK6HpBeInZgMZYBOyrt2gAfYmtWEk7zTnJQqhj7V7M73Hjuc4jrvs8s1KvPIM2l7z8zpO0nAklBW3+KFefO57fUkG0qV6H3jw31Rzgn3ddjVgKkRRK7gshShYj64xMG8WP4euacoQLj0TUJNqtS8jG9LLQgRrha+RfX3YMDJuNVQVPRfriud4TDg9ELKnY/i2Nn4LgaV8rAtgpiW7h3Z8pJJaoSOUoCWyeUTy78EL+2LevILTpy4kLWbiN8iHJY9idFgfzuTlPSQpLxermarnmSTuT6slJ7QNCq9znlLH+C/mjPmcOWQdbuING9l4+Rf7+8qB91vikU/NtZ015N7tiEwlCOJCDgXqw8ETlk6JMznL3AuGIfrP8CHBcZ71d85SWMw328FlJde+Rs7iOUfywj2LS/nXxXEvcMDaaRsneele/Q0/xT9iL59RLKPmozhAaOpDjO6lhDaxH1+tQL69MXNmAynSvV7g5D506IvW9FuFw+ea6nKbLnNLV6ItBb9TmllDrKdM/pvRgB7AyRosh6BEMs3bftThXyfivS54m+68dvydQTJGTzN1LCwzyqMQlTt2K0+Rw1cllnG4ElFwwi9rxdMHZh84qdEVzkBXjxWpFKBPzrDU34wBBOL2C1soHu+U6PniayMGv0H5XtlsrziKBuLy3zr/yJMbEo2NLamd09p0TCSpb4goxv+HrfEx/waQ+cNIFE9KPMODu1u8zvU9CYP8QAJwNHujoo3ZB9NqKTLGmXwI4f/fhUyILJPEcq4CKUF8S+3ST2+Ij24+SeJX4PT6tUxtxC9EuCkke04oeAkLow9gmkS7HWn53QAP1dEARDwbSKnkQB4LNcmizbT4g25XCruy1AFVfwh/coaj4iGNSiV4s8jlmg6HHmKUM+/ytGluYmq46NsmRkm9rsS/XImnD1nfyUAuPc2vy/GfwCEHnxsDYSII9d4rcdLolkpasPaX8ap0WXDX6COU3vTXXI92rTYkz6yKBaL+mLcctgq/WPl7s8OudBfFm+2ar9vmhMTdQCqH6cmGIQAAAAD152YjAAHSBowJAABVrr27PjANiwIAAAAAAVla',
  bcjSha: '3b8105ca5f83d925b2a410e76359f872bbaa91dd85c91504e5c7161e4adadb45',
  xzSha256:
    '/Td6WFoAAArh+wyhAgAhARYAAAB0L+Wj4AibAD9dACCbLEB3N5xr//KMOGKw+Qc1orsYc8VbKUPYeqlgg5dnHv8L1CaaguSmJEIjDV9Hw0nyOsuZkMuEuwxk+jGAAAAA3Zn7LfdP3l1OyDxxQv5EAvFBz+QzcpuOc4tEhEAIJK4AAXOcEQAAAFlRsLK26d8cAgAAAAAKWVo=',
  zstd: 'KLUv/QRopQEAAoMKEMDrrK8gIglTlc2eOP90zLHg1IDQljhznW8sH1YGf9yeyKs+vTEtc6YIAQBMw/NVGSmGFVI=',
  zstdSized: 'KLUv/WScB6UBAAKDChDA66yvICIJU5XNnjj/dMyx4NSA0JY4c51vLB9WBn/cnsirPr0xLXOmCAEATMPzVRkphhVS',
  lz4: 'AiFMGD8AAAD/HUFsbCB3b3JrIGFuZCBubyBwbGF5IG1ha2VzIEphY2sgYSBkdWxsIGJveS4KLAD//////////2BQCmVuZAo=',
};

describe('decompress', () => {
  test.each([
    ['xz', samples.xzCrc32],
    ['xz', samples.xzCrc64],
    ['zstd', samples.zstd],
    ['zstd', samples.zstdSized],
    ['lz4-legacy', samples.lz4],
    ['gzip', gzipSync(bytes).toString('base64')],
  ] as const)('unpacks %s', async (format, sample) => {
    const packed = fromBase64(sample);
    expect(detectCompression(packed)).toBe(format);
    expect(Buffer.from(await decompress(packed, format)).toString()).toBe(text);
  });

  test('undoes the x86 filter of an xz stream', async () => {
    const code = await decompress(fromBase64(samples.xzBcj), 'xz');
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', new Uint8Array(code))).toString('hex');
    expect(digest).toBe(samples.bcjSha);
  });

  test('leaves what is not compressed alone', async () => {
    expect(await decompressDetected(bytes)).toBe(bytes);
  });

  test.each(['gzip', 'xz', 'zstd', 'lz4-legacy'] as const)(
    'refuses %s that unpacks to too much',
    async (format) => {
      const sample = {
        gzip: gzipSync(bytes).toString('base64'),
        xz: samples.xzCrc32,
        zstd: samples.zstd,
        'lz4-legacy': samples.lz4,
      };
      await expect(decompress(fromBase64(sample[format]), format, { maxBytes: 100 })).rejects.toThrow(
        FormatError,
      );
    },
  );

  test('names a compression or check it does not know', async () => {
    await expect(decompress(fromBase64(samples.xzSha256), 'xz')).rejects.toThrow(UnsupportedError);
    await expect(decompress(new TextEncoder().encode('BZh91AY'), 'bzip2')).rejects.toThrow(
      /bzip2 compression/,
    );
  });

  test('every single damaged byte of checked data is a FormatError or changes nothing', async () => {
    for (const [format, sample] of [
      ['gzip', gzipSync(bytes).toString('base64')],
      ['xz', samples.xzCrc32],
      ['xz', samples.xzCrc64],
      ['zstd', samples.zstdSized],
    ] as const) {
      const whole = fromBase64(sample);
      for (let at = 0; at < whole.length; at++) {
        const damaged = whole.slice();
        damaged[at]! ^= 0x41;
        try {
          expect(Buffer.from(await decompress(damaged, format)).toString()).toBe(text);
        } catch (error) {
          if (!(error instanceof FormatError || error instanceof UnsupportedError)) throw error;
        }
      }
    }
  });

  test('every truncation of checked data is a FormatError', async () => {
    for (const [format, sample] of [
      ['gzip', gzipSync(bytes).toString('base64')],
      ['xz', samples.xzBcj],
      ['zstd', samples.zstdSized],
      ['lz4-legacy', samples.lz4],
    ] as const) {
      const whole = fromBase64(sample);
      for (let size = 5; size < whole.length; size += 3) {
        // The legacy lz4 format has no end mark: only a cut inside its one block shows.
        await expect(decompress(whole.subarray(0, size), format), `${format} cut to ${size}`).rejects.toThrow(
          FormatError,
        );
      }
    }
  });
});
