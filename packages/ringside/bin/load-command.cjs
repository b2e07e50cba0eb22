'use strict';
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');

const bundle = join(__dirname, '..', 'dist', 'command.cjs');
const codeCache = join(__dirname, '..', 'dist', 'command.cache');

/**
 * Evaluates the bundled command. The code cache is only a hint: V8 refuses one of another version or another
 * bundle, and compiles. Returns what the bundle exports, and the script (for making the cache).
 */
function loadCommand() {
  let cachedData;
  try {
    cachedData = readFileSync(codeCache);
  } catch {
    // No cache was made here; the command only starts slower.
  }
  // The bundle is ASCII (build.mjs), and one byte a character is the fastest string to make.
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${readFileSync(bundle, 'latin1')}\n})`, {
    filename: bundle,
    cachedData,
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(bundle), module, bundle, join(bundle, '..'));
  return { command: module.exports, script };
}

module.exports = { loadCommand, codeCache };
