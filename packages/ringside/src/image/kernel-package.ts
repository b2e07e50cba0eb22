import { type ArchiveEntry, isAr, readAr, readTar } from '../archive/index.ts';
import { InputError } from '../bytes/index.ts';
import { type DecompressOptions, decompressDetected } from '../compression/index.ts';

export interface PackagedKernel {
  readonly image: Uint8Array;
  /** The text of `boot/config-*`. */
  readonly config: string | undefined;
}

const IMAGE = /^(?:boot|usr\/lib\/debug(?:\/boot)?|lib\/modules\/[^/]+)\/vmlinu[xz](?:-(.+))?$/;

/** Whether the bytes begin like a Debian package. */
export function isKernelPackage(bytes: Uint8Array): boolean {
  return isAr(bytes);
}

/**
 * The kernel and its config out of a `linux-image-*.deb`, signed or not, or a `-dbg` package.
 * Throws `InputError` when the package holds no kernel, `FormatError` when it is damaged.
 */
export async function unpackKernelPackage(
  bytes: Uint8Array,
  options: DecompressOptions = {},
): Promise<PackagedKernel> {
  const members = readAr(bytes);
  const data = members.find(({ name }) => name.startsWith('data.tar'));
  if (data === undefined) throw new InputError('not a Debian package: the archive has no data.tar');
  const files = readTar(await decompressDetected(data.data, options)).filter(({ kind }) => kind === 'file');
  const image = files.find(({ name }) => IMAGE.test(name));
  if (image === undefined) {
    throw new InputError(
      'the package holds no kernel (linux-image-amd64 only refers to one): take the package whose name has the release, linux-image-*-amd64',
    );
  }
  return { image: image.data, config: configOf(files, IMAGE.exec(image.name)?.[1]) };
}

function configOf(files: readonly ArchiveEntry[], release: string | undefined): string | undefined {
  const config =
    files.find(({ name }) => name === `boot/config-${release}`) ??
    files.find(({ name }) => name.startsWith('boot/config-'));
  return config === undefined ? undefined : new TextDecoder().decode(config.data);
}
