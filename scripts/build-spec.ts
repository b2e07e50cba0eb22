/**
 * Builds the spec that comes with the package from the newest kernel installed under /boot (or a kernel file given):
 *
 *     npx tsx scripts/build-spec.ts [FILE]
 *
 * Needs Debian 12's `linux-image-amd64`. The same kernel gives the same bytes, with the same zlib.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { encodeSpec } from '../packages/ringside/src/image/index.ts';
import { readKernelFile } from '../packages/ringside/src/node/index.ts';

const OUTPUT = fileURLToPath(
  new URL('../packages/ringside/specs/debian-12-amd64.ringside-spec', import.meta.url),
);

function installedKernel(): string {
  const images = readdirSync('/boot').filter((name) => /^vmlinuz-.*-amd64$/.test(name));
  const newest = images.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  if (newest === undefined) throw new Error('no /boot/vmlinuz-*-amd64: install linux-image-amd64');
  return `/boot/${newest}`;
}

const file = process.argv[2] ?? installedKernel();
const facts = await readKernelFile(file);
const bytes = encodeSpec(facts, (content) => deflateSync(content, { level: 9 }));
writeFileSync(OUTPUT, bytes);
process.stdout.write(`${facts.release}: ${bytes.length} bytes from ${file}\n`);
