// The kernel that the oracle boots, and how it stands to the built-in one.

import { readdirSync, readFileSync } from 'node:fs';
import { openBuiltInSpec } from '../../packages/ringside/src/node/index.ts';

export interface InstalledKernel {
  readonly path: string;
  readonly release: string;
  /** Is it the build that the built-in spec was made from, whose recordings are kept? */
  readonly isBuiltIn: boolean;
}

/**
 * The newest kernel of /boot, or KREL's, as oracle/real-kernel.sh takes it.
 * @throws Error when there is none
 */
export function installedKernel(): InstalledKernel {
  const release = process.env['KREL'] ?? newestRelease();
  if (release === undefined) throw new Error('no kernel in /boot; run "scripts/debian-packages.sh oracle"');
  const path = `/boot/vmlinuz-${release}`;
  const builtIn = openBuiltInSpec();
  const text = versionText(readFileSync(path));
  // Two builds of one release have other addresses, and other versions ("#1 SMP ... Debian 6.1.1-1 (date)").
  return {
    path,
    release,
    isBuiltIn: text.startsWith(`${builtIn.release} `) && text.endsWith(builtIn.version),
  };
}

function newestRelease(): string | undefined {
  return readdirSync('/boot')
    .flatMap((name) => /^vmlinuz-(.+)$/.exec(name)?.[1] ?? [])
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .at(-1);
}

/** `6.1.0-1-amd64 (builder) #1 SMP ...`. Source: Documentation/x86/boot.rst, kernel_version. */
function versionText(bzImage: Buffer): string {
  const at = bzImage.readUInt16LE(0x20e) + 0x200;
  return bzImage.toString('latin1', at, bzImage.indexOf(0, at));
}
