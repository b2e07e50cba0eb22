// Makes bad modules out of good ones: a line of edits, each deterministic, so that nothing broken has to be stored.
//
//   SOURCE | EDIT ARGUMENT... | EDIT ARGUMENT...
//
// SOURCE is FOLDER/NAME of modules/ (without .ko), or `nothing` for an empty file.
// Arguments are separated by blanks; "quoted ones" are JSON strings. Numbers may be hexadecimal and negative.

import { concat, ElfFile, latin1, latin1Text } from './elf-file.ts';

interface Edit {
  readonly usage: string;
  readonly about: string;
  apply(elf: ElfFile, args: readonly string[]): void;
}

const VERSION_ENTRY_BYTES = 64; // struct modversion_info: u64 crc, char name[56]
const SIGNATURE_MAGIC = '~Module signature appended~\n';

export const EDITS: Readonly<Record<string, Edit>> = {
  text: {
    usage: 'text TEXT',
    about: 'appends text',
    apply: (elf, [text]) => append(elf, latin1(need(text))),
  },
  zeros: {
    usage: 'zeros COUNT',
    about: 'appends zero bytes',
    apply: (elf, [count]) => append(elf, new Uint8Array(number(count))),
  },
  garbage: {
    usage: 'garbage COUNT',
    about: 'appends bytes that are always the same and mean nothing',
    apply: (elf, [count]) => append(elf, garbage(number(count))),
  },
  truncate: {
    usage: 'truncate SIZE',
    about: 'keeps the first SIZE bytes; all but the last when negative',
    apply: (elf, [size]) => {
      elf.bytes = elf.bytes.slice(0, number(size));
    },
  },
  header: {
    usage: 'header FIELD VALUE',
    about: 'a field of the ELF header',
    apply: (elf, [field, value]) => elf.setHeader(need(field), integer(value)),
  },
  section: {
    usage: 'section NAME|#INDEX FIELD VALUE',
    about: "a field of a section's header",
    apply: (elf, [name, field, value]) => elf.setSection(need(name), need(field), integer(value)),
  },
  'rename-section': {
    usage: 'rename-section NAME NEW',
    about: 'gives a section another name',
    apply: (elf, [name, to]) => elf.renameSection(need(name), need(to)),
  },
  'replace-section': {
    usage: 'replace-section NAME HEX',
    about: "replaces a section's content",
    apply: (elf, [name, bytes]) => elf.replaceData(need(name), hex(bytes)),
  },
  poke: {
    usage: 'poke NAME OFFSET HEX',
    about: "overwrites bytes in a section's content",
    apply: (elf, [name, offset, bytes]) => {
      elf.bytes.set(hex(bytes), elf.section(need(name)).offset + number(offset));
    },
  },
  symbol: {
    usage: 'symbol NAME FIELD VALUE',
    about: 'a field of a symbol',
    apply: (elf, [name, field, value]) => elf.setSymbol(need(name), need(field), integer(value)),
  },
  'rename-symbol': {
    usage: 'rename-symbol NAME NEW',
    about: 'gives a symbol another name',
    apply: (elf, [name, to]) => elf.renameSymbol(need(name), need(to)),
  },
  relocation: {
    usage: 'relocation SECTION INDEX FIELD VALUE',
    about: 'a field of a relocation',
    apply: (elf, [name, index, field, value]) =>
      elf.setRelocation(need(name), number(index), need(field), integer(value)),
  },
  modinfo: {
    usage: 'modinfo KEY VALUE',
    about: "replaces a field of .modinfo, or adds it when it isn't there",
    apply: (elf, [key, value]) => setModinfo(elf, need(key), need(value)),
  },
  'modinfo-remove': {
    usage: 'modinfo-remove KEY',
    about: 'takes a field out of .modinfo',
    apply: (elf, [key]) => setModinfo(elf, need(key), undefined),
  },
  crc: {
    usage: 'crc SYMBOL VALUE',
    about: 'the checksum that __versions has for a symbol',
    apply: (elf, [name, value]) => {
      const at = versionEntry(elf, need(name));
      new DataView(elf.bytes.buffer).setBigUint64(at, BigInt.asUintN(64, integer(value)), true);
    },
  },
  'rename-version': {
    usage: 'rename-version SYMBOL NEW',
    about: 'the name of an entry in __versions',
    apply: (elf, [name, to]) => {
      const at = versionEntry(elf, need(name));
      elf.bytes.fill(0, at + 8, at + VERSION_ENTRY_BYTES);
      elf.bytes.set(latin1(need(to)), at + 8);
    },
  },
  signature: {
    usage: 'signature BYTES [sig_len=N] [algo=N] [hash=N] [id_type=N] [signer_len=N] [key_id_len=N]',
    about: 'appends BYTES bytes of garbage as PKCS#7 message, a struct module_signature and the magic line',
    apply: (elf, [count, ...fields]) => {
      append(elf, garbage(number(count)));
      append(elf, signatureInfo(number(count), fields));
      append(elf, latin1(SIGNATURE_MAGIC));
    },
  },
};

/** @throws Error naming the edit that is wrong */
export function mutate(original: Uint8Array, edits: readonly string[]): Uint8Array {
  const elf = new ElfFile(original);
  for (const line of edits) {
    const [name, ...args] = words(line);
    const edit = EDITS[name ?? ''];
    if (edit === undefined)
      throw new Error(`no edit "${name}"; there are ${Object.keys(EDITS).sort().join(', ')}`);
    try {
      edit.apply(elf, args);
    } catch (error) {
      throw new Error(`edit "${line}" (${edit.usage}): ${error instanceof Error ? error.message : error}`);
    }
  }
  return elf.bytes;
}

function append(elf: ElfFile, bytes: Uint8Array): void {
  elf.bytes = concat(elf.bytes, bytes);
}

function garbage(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => (i * 73 + 41) & 0xff);
}

// Source: include/linux/module_signature.h: five bytes, three of padding, the length big-endian
function signatureInfo(count: number, fields: readonly string[]): Uint8Array {
  const info = new Uint8Array(12);
  const view = new DataView(info.buffer);
  const positions = new Map([
    ['algo', 0],
    ['hash', 1],
    ['id_type', 2],
    ['signer_len', 3],
    ['key_id_len', 4],
  ]);
  info[2] = 2; // PKEY_ID_PKCS7
  view.setUint32(8, count);
  for (const field of fields) {
    const [name, value] = field.split('=');
    const at = positions.get(name ?? '');
    if (name === 'sig_len') view.setUint32(8, number(value));
    else if (at !== undefined) info[at] = number(value);
    else throw new Error(`no field "${name}"`);
  }
  return info;
}

function setModinfo(elf: ElfFile, key: string, value: string | undefined): void {
  const old = latin1Text(elf.data(elf.section('.modinfo'))).split('\0');
  const isKey = (entry: string): boolean => entry.startsWith(`${key}=`);
  const at = old.findIndex(isKey);
  const entries = old.filter((entry) => entry !== '' && !isKey(entry));
  if (value !== undefined) entries.splice(at < 0 ? entries.length : at, 0, `${key}=${value}`);
  elf.replaceData('.modinfo', latin1(entries.map((entry) => `${entry}\0`).join('')));
}

function versionEntry(elf: ElfFile, symbol: string): number {
  const { offset, size } = elf.section('__versions');
  for (let at = offset; at < offset + size; at += VERSION_ENTRY_BYTES) {
    const name = elf.bytes.subarray(at + 8, elf.bytes.indexOf(0, at + 8));
    if (latin1Text(name) === symbol) return at;
  }
  throw new Error(`no version of "${symbol}"`);
}

function words(line: string): string[] {
  return (line.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []).map((word) =>
    word.startsWith('"') ? String(JSON.parse(word)) : word,
  );
}

function need(text: string | undefined): string {
  if (text === undefined) throw new Error('an argument is missing');
  return text;
}

function integer(text: string | undefined): bigint {
  const t = need(text);
  return t.startsWith('-') ? -BigInt(t.slice(1)) : BigInt(t);
}

function number(text: string | undefined): number {
  return Number(integer(text));
}

function hex(text: string | undefined): Uint8Array {
  return Uint8Array.from(need(text).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
