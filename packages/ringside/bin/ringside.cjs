#!/usr/bin/env node
'use strict';
// The committed launcher: npm links it at install, before anything is built. It loads the bundled command with
// V8's code cache, which saves parsing and compiling at every start. CommonJS, as Node starts it sooner than a module.
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const dist = join(__dirname, '..', 'dist');

if (Number.parseInt(process.versions.node, 10) < 20) {
  process.stderr.write(`ringside: needs Node 20 or later, this is Node ${process.versions.node}\n`);
  process.exitCode = 1;
} else if (existsSync(join(dist, 'command.cjs'))) {
  require('./load-command.cjs')
    .loadCommand()
    .command.main(process.argv.slice(2))
    .then((status) => {
      process.exitCode = status;
    });
} else {
  process.stderr.write(
    'ringside: not built yet: there is no packages/ringside/dist; run "npm ci" or "npm run build" in the clone\n',
  );
  process.exitCode = 1;
}
