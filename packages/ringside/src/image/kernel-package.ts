import { UnsupportedError } from '../bytes/index.ts';
import type { DecompressOptions } from '../compression/index.ts';

export interface PackagedKernel {
  readonly image: Uint8Array;
  readonly config: string | undefined;
}

const AR_MAGIC = '!<arch>\n';

/** Whether the bytes begin like a Debian package. */
export function isKernelPackage(bytes: Uint8Array): boolean {
  for (let i = 0; i < AR_MAGIC.length; i++) if (bytes[i] !== AR_MAGIC.charCodeAt(i)) return false;
  return true;
}

/** The kernel and its config out of a `linux-image-*.deb`. */
export async function unpackKernelPackage(
  _bytes: Uint8Array,
  _options: DecompressOptions = {},
): Promise<PackagedKernel> {
  throw new UnsupportedError({
    what: 'Debian packages',
    advice: 'unpack it with "dpkg-deb -x" and add its vmlinuz',
  });
}
