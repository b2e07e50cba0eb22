import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, expect, test } from 'vitest';
import { engineOutcomes } from './browser-driver.fixture.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

beforeAll(() => {
  execFileSync(here('../../../../scripts/debian-packages.sh'), ['browser'], { stdio: 'inherit' });
});

test('the engine gives the same registers, flags, memory and counts in Chromium', async () => {
  const file = readFileSync(here('../../../../bench/engine/guest.elf'));
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { engineOutcomes } from './browser-driver.fixture.ts';
        const file = Uint8Array.from(atob('${file.toString('base64')}'), (c) => c.charCodeAt(0));
        let text;
        try { text = JSON.stringify(engineOutcomes(file)); } catch (error) { text = String(error.stack); }
        document.getElementById('result').textContent = text;`,
      resolveDir: here('.'),
    },
    bundle: true,
    write: false,
    format: 'iife',
    charset: 'ascii',
    logLevel: 'silent',
  });
  const directory = mkdtempSync(join(tmpdir(), 'engine-browser-'));
  try {
    const page = join(directory, 'page.html');
    const script = outputFiles[0]!.text.replaceAll('</script', '<\\/script');
    writeFileSync(page, `<!doctype html><pre id="result">nothing</pre><script>${script}</script>`);
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${directory}/profile`];
    const dom = execFileSync('chromium', [...flags, '--dump-dom', `file://${page}`], {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const result = /<pre id="result">([^<]*)<\/pre>/.exec(dom)?.[1];
    expect(result).toBeDefined();
    expect(JSON.parse(result!)).toEqual(engineOutcomes(file));
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
});
