import { type DecompressOptions, decompressDetected } from '../compression/index.ts';
import type { ModuleSpec } from './module-spec.ts';
import { readModule } from './read-module.ts';

/** Reads a module file as it stands on a disk: `.ko`, or `.ko.xz`, `.ko.zst`, `.ko.gz`, told by content. */
export async function openModule(bytes: Uint8Array, options: DecompressOptions = {}): Promise<ModuleSpec> {
  return readModule(await decompressDetected(bytes, options));
}
