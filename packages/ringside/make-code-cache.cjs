'use strict';
// Run by build.mjs in a fresh process: `node make-code-cache.cjs [MODULE.ko]` writes dist/command.cache.
const { writeFileSync } = require('node:fs');
const { codeCache, loadCommand } = require('./bin/load-command.cjs');

const { command, script } = loadCommand();
const modulePath = process.argv[2];
const runs = modulePath === undefined ? [['--version']] : [['run', modulePath]];

async function warmUp() {
  process.stdout.write = () => true;
  for (const args of runs) await command.main(args);
  writeFileSync(codeCache, script.createCachedData());
}

warmUp().catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  process.exitCode = 1;
});
