// Writes cases.h (C tables) from cases.mjs: node generate.mjs
import { writeFileSync } from 'node:fs';
import { cases, dumpBytes, messages } from './cases.mjs';

const objects = [];
const byKey = new Map();
const cString = (text) =>
  `"${[...text].map((c) => (/[ -!#-[\]-~]/.test(c) && c !== '?' ? c : `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`)).join('')}"`;
const integer = (v) => (typeof v === 'number' && v < 0 ? `${v}` : `${BigInt.asUintN(64, BigInt(v))}UL`);

// A C constant expression for an argument; objects it points to are defined before.
function value(arg) {
  if (typeof arg !== 'object') return integer(arg);
  if (arg.str !== undefined) return `(unsigned long)${cString(arg.str)}`;
  if (arg.symbol !== undefined) return `(unsigned long)&${arg.symbol} + ${arg.offset}`;
  const key = JSON.stringify(arg, (_, v) => (typeof v === 'bigint' ? `${v}n` : v));
  let name = byKey.get(key);
  if (name === undefined) {
    name = `o${byKey.size}`;
    byKey.set(key, name);
    if (arg.bytes) objects.push(`static const u8 ${name}[] __aligned(8) = { ${arg.bytes.join(', ')} };`);
    else if (arg.va) throw new Error('va only as an argument of its own');
    else {
      const fields = Object.entries(arg.fields).map(([path, v]) => {
        if (v === 'self') return `.${path} = &${name}`;
        if (v?.text !== undefined) return `.${path} = ${cString(v.text)}`;
        const c = value(v);
        return `.${path} = ${typeof v === 'object' ? `(void *)(${c})` : path === 'd_parent' ? 'NULL' : c}`;
      });
      objects.push(`static struct ${arg.struct} ${name} = { ${fields.join(', ')} };`);
    }
  }
  return `(unsigned long)&${name}`;
}

const rows = [];
const row = (op, fmt, size, args) => rows.push(`\t{ ${op}, ${fmt}, ${size}, { ${args.join(', ')} } },`);
const vaCases = [];
for (const { fmt, size, args } of cases.formats) {
  const c = args.map((arg) => {
    if (!arg?.va) return value(arg);
    // nested formats are made at run time: a chain of calls, one per level
    vaCases.push(arg.va);
    return `PF_VA(${vaCases.length - 1})`;
  });
  row('PF_FORMAT', cString(fmt), size, c);
}
for (const { text, fmt, outputs } of cases.scans)
  row('PF_SCAN', cString(fmt), outputs, [`(unsigned long)${cString(text)}`]);
const TYPES = [
  'ull',
  'll',
  'uint',
  'int',
  'u16',
  's16',
  'u8',
  's8',
  'bool',
  'simple_strtoull',
  'simple_strtoll',
  'simple_strtoul',
  'simple_strtol',
];
for (const { type, text, base } of cases.numbers)
  row('PF_NUMBER', cString(text), TYPES.indexOf(type), [base]);
for (const { size, blk, units, len } of cases.sizes)
  row('PF_SIZE', '""', len, [integer(size), integer(blk), units]);
for (const { src, flags, only, size } of cases.escapes)
  row('PF_ESCAPE', cString(src), size, [src.length, flags, `(unsigned long)${cString(only)}`]);
for (const { src, flags, size } of cases.unescapes) row('PF_UNESCAPE', cString(src), size, [flags]);
for (const { len, row: rowsize, group, ascii, size } of cases.dumps)
  row('PF_DUMP', '""', size, [len, rowsize, group, ascii]);

const vaRows = [];
for (let i = 0; i < vaCases.length; i++) {
  const { fmt, args } = vaCases[i];
  const c = args.map((arg) => {
    if (!arg?.va) return value(arg);
    vaCases.push(arg.va);
    return `PF_VA(${vaCases.length - 1})`;
  });
  vaRows.push(`\t{ ${cString(fmt)}, { ${c.join(', ')} } },`);
}
writeFileSync(
  new URL('cases.h', import.meta.url),
  `/* Made by generate.mjs from cases.mjs: do not edit. */
static const u8 pf_dump_bytes[] __aligned(8) = { ${dumpBytes.join(', ')} };
${objects.join('\n')}
static const struct pf_va pf_vas[] = {
${vaRows.join('\n')}
};
static const struct pf_case pf_cases[] = {
${rows.join('\n')}
};
`,
);
writeFileSync(
  new URL('messages.h', import.meta.url),
  `/* Made by generate.mjs from cases.mjs: do not edit. */
static const char *const pk_messages[] = {
${messages.map((text) => `\t${cString(text)},`).join('\n')}
};
`,
);
console.log(`${rows.length} cases, ${messages.length} messages`);
