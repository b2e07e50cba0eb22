// The kernel that the oracle boots, and how it stands to the built-in one.

import { readdirSync } from 'node:fs';
import type { KernelFacts } from '../../packages/ringside/src/image/index.ts';
import { openBuiltInSpec, readKernelFile } from '../../packages/ringside/src/node/index.ts';

/**
 * The newest kernel of /boot that is for the machine at large, or KREL's, as oracle/real-kernel.sh takes it.
 * @throws Error when there is none
 */
export async function installedKernel(): Promise<{ readonly path: string; readonly facts: KernelFacts }> {
  const release = process.env['KREL'] ?? newestRelease();
  if (release === undefined) {
    throw new Error('no kernel in /boot; run "scripts/debian-packages.sh oracle"');
  }
  const path = `/boot/vmlinuz-${release}`;
  return { path, facts: await readKernelFile(path) };
}

function newestRelease(): string | undefined {
  return readdirSync('/boot')
    .flatMap((name) => /^vmlinuz-(.+)$/.exec(name)?.[1] ?? [])
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .at(-1);
}

/** The banner names release, compiler and build: two builds of one release have other addresses, and other banners. */
export function builtInBanner(): string {
  return openBuiltInSpec().banner;
}
