// Joins the cases with the recorded answers: node fixture.mjs RECORDING KERNEL-FOLDER
// Writes lib/fixtures/printf.json, printk/fixtures/messages.json and params/fixtures/params.json there. Texts are Latin-1, one character a byte.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cases, dumpBytes, messages } from './cases.mjs';

const [recording, folder] = process.argv.slice(2);
const answers = new Map();
const partial = new Map();
const layouts = {};
const enums = {};
const symbols = {};
let count = 0;
for (const line of readFileSync(`${recording}.dmesg`, 'latin1').split('\n')) {
  const [kind, ...rest] = line
    .replace(/^\[ *\d+\.\d+\] /, '')
    .replace(/^printf: /, '')
    .split(' ');
  if (kind === 'PFC') partial.set(rest[0], (partial.get(rest[0]) ?? '') + rest[1]);
  else if (kind === 'PF')
    answers.set(Number(rest[0]), {
      ret: Number(rest[1]),
      hex: (partial.get(rest[0]) ?? '') + (rest[2] ?? ''),
    });
  else if (kind === 'PFL') {
    layouts[rest[0]] ??= { size: Number(rest[4]), fields: {} };
    layouts[rest[0]].fields[rest[1]] = Number(rest[2]);
  } else if (kind === 'PFE') enums[rest[0]] = Number(rest[1]);
  else if (kind === 'PFY') {
    const text = rest.slice(1).join(' ');
    // A symbol of a module is followed by its module's name.
    const parts = text.match(/\S+(?: \[\w+\])?/g);
    symbols[rest[0]] = { S: parts[0], s: parts[1], B: parts[2] };
  } else if (kind === 'PFEND') count = Number(rest[0]);
}
let index = 0;
const join = (list) =>
  list.map((c) => {
    const answer = answers.get(index++);
    if (!answer) throw new Error(`no answer to case ${index - 1}: ${JSON.stringify(c, replacer)}`);
    const text =
      answer.hex
        .match(/../g)
        ?.map((h) => String.fromCharCode(Number.parseInt(h, 16)))
        .join('') ?? '';
    return { ...c, ret: answer.ret, out: text };
  });
const replacer = (_, v) => (typeof v === 'bigint' ? { u64: `0x${BigInt.asUintN(64, v).toString(16)}` } : v);
const result = Object.fromEntries(Object.entries(cases).map(([name, list]) => [name, join(list)]));
if (index !== count) throw new Error(`${index} cases, ${count} answers`);

const write = (name, value) => {
  mkdirSync(`${folder}/${name.split('/')[0]}/fixtures`, { recursive: true });
  const text = JSON.stringify(value, replacer, 1).replace(
    /[\u007f-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  // One case a line.
  const lines = Object.entries(JSON.parse(text)).map(([key, v]) =>
    Array.isArray(v)
      ? `${JSON.stringify(key)}: [\n${v.map((item) => asciiJson(JSON.stringify(item))).join(',\n')}\n]`
      : `${JSON.stringify(key)}: ${asciiJson(JSON.stringify(v))}`,
  );
  writeFileSync(`${folder}/${name}`, `{\n${lines.join(',\n')}\n}\n`);
};
const asciiJson = (text) =>
  text.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
write('lib/fixtures/printf.json', { layouts, enums, symbols, dumpBytes, ...result });

const transcript = readFileSync(recording, 'latin1');
const part = (from, to) => transcript.split(`=== ${from}\n`)[1].split(`=== ${to}\n`)[0];
// Sequence numbers and times are made relative to the first record.
const kmsg = [];
let first;
for (const line of part('kmsg', 'params').split('\n')) {
  const match = line.match(/^(\d+),(\d+),\d+,(.);(.*)$/);
  if (!match) continue;
  first ??= Number(match[2]);
  kmsg.push({ priority: Number(match[1]), seq: Number(match[2]) - first, flag: match[3], text: match[4] });
}
const raw = part('raw', 'kmsg')
  .split('\n')
  .slice(0, -1)
  .map((line) => line.replace(/\[ *\d+\.\d+\]/, '[time]'));
write('printk/fixtures/messages.json', { messages, kmsg, raw });

// What parse_args said (not what the modules print themselves), and the values after it.
const params = part('params', 'end')
  .split(/^### (?=params)/m)
  .slice(1)
  .map((block) => {
    const [head, rest] = [block.slice(0, block.indexOf('\n')), block.slice(block.indexOf('\n') + 1)];
    const bar = head.indexOf('|');
    const [log, values] = rest.split('### values\n');
    const lines = log.split('\n').map((line) => line.replace(/\[ *\d+\.\d+\] /, ''));
    const error = lines.find((line) => line.startsWith('insmod: ERROR'));
    return {
      module: head.slice(0, bar),
      args: head.slice(bar + 1),
      error: error?.replace(/.*: /, '') ?? null,
      log: lines.filter((line) => /^<\d>/.test(line)),
      values: Object.fromEntries(
        values
          .split('\n')
          .filter((line) => line.includes('|'))
          .map((line) => line.split(/\|(.*)/s).slice(0, 2)),
      ),
    };
  });
write('params/fixtures/params.json', { params });
console.log(`${index} cases, ${kmsg.length} records, ${params.length} parameter strings`);
