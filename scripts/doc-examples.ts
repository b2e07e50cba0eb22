/**
 * Compiles every TypeScript block of the documentation against the sources, as a user of the package would write it.
 *
 *     npx tsx scripts/doc-examples.ts
 *
 * A block that is only a fragment is fenced as `text`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SCRATCH = join(ROOT, '.cache', 'doc-examples');

function pages(): string[] {
  const docs = existsSync(join(ROOT, 'docs')) ? readdirSync(join(ROOT, 'docs'), { recursive: true }) : [];
  return [
    ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
    ...docs.map((name) => join('docs', String(name))).filter((name) => name.endsWith('.md')),
    // The library's own introduction is written as documentation too.
    'packages/ringside/src/index.ts',
  ];
}

/** The code of each ```ts block, behind as many empty lines as stand above it, so that errors name the page's lines. */
function blocks(text: string): string[] {
  const found: string[] = [];
  for (const match of text.matchAll(/^( \* |)```(?:ts|typescript)\n([\s\S]*?)^\1```/gm)) {
    const above = text.slice(0, match.index).split('\n').length;
    const code = match[2]!.replaceAll(/^ \* ?/gm, match[1] === '' ? '$&' : '');
    found.push('\n'.repeat(above) + code);
  }
  return found;
}

rmSync(SCRATCH, { recursive: true, force: true });
mkdirSync(SCRATCH, { recursive: true });
let count = 0;
for (const page of pages()) {
  for (const [index, code] of blocks(
    readFileSync(join(ROOT, page), 'utf8').replaceAll('\r\n', '\n'),
  ).entries()) {
    const name = `${page.replaceAll(/[^\w]+/g, '-')}.${index + 1}.ts`;
    // An example may await at its top level; without import or export it would not be a module.
    writeFileSync(join(SCRATCH, name), /^(?:import|export)\b/m.test(code) ? code : `${code}\nexport {};\n`);
    count++;
  }
}
writeFileSync(
  join(SCRATCH, 'tsconfig.json'),
  JSON.stringify({
    extends: '../../tsconfig.json',
    compilerOptions: {
      noUnusedLocals: false,
      paths: { ringside: ['../../packages/ringside/src/index.ts'] },
    },
    include: ['*.ts'],
  }),
);
if (count > 0) {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  try {
    execFileSync(process.execPath, [tsc, '-p', SCRATCH], { stdio: 'inherit' });
  } catch {
    process.stderr.write('an example in the documentation does not compile\n');
    process.exitCode = 1;
  }
}
process.stdout.write(`${count} examples compiled\n`);
