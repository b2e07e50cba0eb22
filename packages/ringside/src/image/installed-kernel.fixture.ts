import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** The newest of Debian's amd64 kernels under /boot. Tests that need it fail with what to install. */
export function installedKernel(): {
  readonly release: string;
  readonly path: string;
  readonly bytes: Uint8Array;
} {
  const releases = readdirSync('/boot')
    .flatMap((name) => /^vmlinuz-(.*-amd64)$/.exec(name)?.[1] ?? [])
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const release = releases.at(-1);
  if (release === undefined) throw new Error('no kernel in /boot: apt-get install linux-image-amd64');
  const path = `/boot/vmlinuz-${release}`;
  return { release, path, bytes: readFileSync(path) };
}

/** A file that a package installs. */
export function packageFile(path: string, debianPackage: string): string {
  if (!existsSync(path)) throw new Error(`no ${path}: apt-get install ${debianPackage}`);
  return path;
}
