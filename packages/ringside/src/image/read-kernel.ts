import { FormatError, InputError, RingsideError } from '../bytes/index.ts';
import { type DecompressOptions, decompressDetected } from '../compression/index.ts';
import { isBzImage, unpackBzImage } from './bzimage.ts';
import { readIkconfig } from './ikconfig.ts';
import { TextKernelConfig } from './kernel-config.ts';
import { readFacts } from './kernel-facts.ts';
import { isKernelPackage, unpackKernelPackage } from './kernel-package.ts';
import type { KernelFacts } from './spec-file/spec-file.ts';
import { Vmlinux } from './vmlinux.ts';

export interface ReadKernelOptions extends DecompressOptions {
  /** The text of the `.config` that lies beside the image, if one does. */
  readonly config?: string;
}

export type KernelFileKind = 'bzImage' | 'ELF' | 'package';

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];

/** What a file looks like by its first bytes; `undefined` when it cannot be a kernel. */
export function detectKernelFile(bytes: Uint8Array): KernelFileKind | undefined {
  if (ELF_MAGIC.every((byte, index) => bytes[index] === byte)) return 'ELF';
  if (isBzImage(bytes)) return 'bzImage';
  return isKernelPackage(bytes) ? 'package' : undefined;
}

/**
 * Reads a kernel out of a `vmlinuz`, an ELF `vmlinux` (also compressed) or a Debian kernel package.
 * Throws `InputError` when the file is none of them, `FormatError` when it is one and damaged.
 */
export async function readKernel(bytes: Uint8Array, options: ReadKernelOptions = {}): Promise<KernelFacts> {
  const kind = detectKernelFile(bytes);
  try {
    switch (kind) {
      case 'bzImage':
        return await factsOf(await unpackBzImage(bytes, options), options);
      case 'ELF':
        return await factsOf(bytes, options);
      case 'package': {
        const { image, config } = await unpackKernelPackage(bytes, options);
        return await readKernel(image, config === undefined ? options : { ...options, config });
      }
      case undefined: {
        const unpacked = await decompressDetected(bytes, options);
        if (unpacked !== bytes && detectKernelFile(unpacked) === 'ELF')
          return await factsOf(unpacked, options);
        throw new InputError('not a kernel: expected a vmlinuz, an ELF vmlinux or a Debian kernel package');
      }
    }
  } catch (error) {
    if (error instanceof RingsideError) throw error;
    throw new FormatError('kernel image cannot be read', {}, { cause: error });
  }
}

async function factsOf(vmlinux: Uint8Array, options: ReadKernelOptions): Promise<KernelFacts> {
  const facts = readFacts(
    vmlinux,
    options.config === undefined ? undefined : new TextKernelConfig(options.config),
  );
  if (facts.config !== undefined) return facts;
  const rodata = new Vmlinux(vmlinux).reader('.rodata');
  return { ...facts, config: await readIkconfig(rodata.bytes, options) };
}
