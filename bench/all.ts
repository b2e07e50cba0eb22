/**
 * Runs every bench of this folder, one after the other: `npm run bench`, or `npm run bench:smoke` to see that they work.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const tsx = join(createRequire(import.meta.url).resolve('tsx/package.json'), '../dist/cli.mjs');
const benches = readdirSync(HERE).filter((name) => name.endsWith('.ts') && name !== 'all.ts');
for (const bench of benches.sort()) {
  process.stdout.write(`--- bench/${bench}\n`);
  const { status } = spawnSync(process.execPath, [tsx, join(HERE, bench), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  if (status !== 0) {
    process.stderr.write(`bench/${bench} failed\n`);
    process.exitCode = 1;
  }
}
