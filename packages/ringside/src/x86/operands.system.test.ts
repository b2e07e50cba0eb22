import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as iced from 'iced-x86';
import { expect, test } from 'vitest';
import { ElfFile, SHF_EXECINSTR } from '../elf/index.ts';
import { decode, isInstruction } from './index.ts';
import { agrees, formOf, formOfOther, MNEMONICS } from './oracle.fixture.ts';

/** Every n-th module; all of them take two minutes. */
const SAMPLE = Number(process.env['OPERANDS_SAMPLE'] ?? 1);

const LOW_16 = /^(pinsrw|lldt|ltr|verr|verw|lmsw|mov_to_seg)$/;

function* modules(): Generator<string> {
  const release = readdirSync('/lib/modules').sort().at(-1);
  if (release === undefined) throw new Error('no modules in /lib/modules; install linux-image-amd64');
  const root = join('/lib/modules', release, 'kernel');
  let n = 0;
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()) {
    if (/\.ko$/.test(name) && n++ % SAMPLE === 0) yield join(root, name);
  }
}

test('instructions of real modules have the operands that another decoder finds', {
  timeout: 900_000,
}, () => {
  const different = new Map<string, string>();
  const other = new iced.Instruction();
  let compared = 0;
  let files = 0;
  for (const path of modules()) {
    files++;
    const elf = new ElfFile(new Uint8Array(readFileSync(path)));
    for (const section of elf.sections) {
      if ((section.flags & SHF_EXECINSTR) === 0 || section.size === 0) continue;
      const code = elf.data(section);
      const decoder = new iced.Decoder(64, code, iced.DecoderOptions.None);
      decoder.ip = 0n;
      for (let at = 0; at < code.length; ) {
        const ours = decode(code, at, at);
        decoder.position = at;
        decoder.ip = BigInt(at);
        decoder.decodeOut(other);
        if (!isInstruction(ours)) {
          // Of what Ringside has no line for only the length is needed, to go on.
          at += Math.max(1, other.length);
          continue;
        }
        compared++;
        const theirs = other.code === iced.Code.INVALID ? 'invalid' : MNEMONICS.get(other.mnemonic)!;
        // String instructions have no operands in our table, but their prefixes.
        const strings = ours.encoding.repeatable;
        // Exchanging a register with itself is a nop without operands there.
        const nop = ours.name === 'xchg' && theirs === 'Nop';
        const form = strings ? [ours.rep, ours.repne] : formOf(ours);
        const wanted = strings ? [other.hasRepPrefix, other.hasRepnePrefix] : formOfOther(other);
        // Of a whole register only the low 16 bits are used: named by what is used here, by the register there.
        if (LOW_16.test(ours.name)) {
          for (const [i, text] of wanted.entries())
            if (typeof text === 'string') wanted[i] = text.replace(/^r32\./, 'r16.');
        }
        const same =
          ours.length === other.length &&
          agrees(ours, theirs) &&
          ours.lock === other.hasLockPrefix &&
          (nop || form.join(', ') === wanted.join(', '));
        if (!same && different.size < 40) {
          const hex = Buffer.from(code.subarray(at, at + ours.length)).toString('hex');
          different.set(
            `${ours.encoding.line} not ${theirs}`,
            `${hex} in ${path}: ${ours.length} bytes, ${form.join(', ')}; not ${other.length} bytes, ${wanted.join(', ')}`,
          );
        }
        at += ours.length;
      }
      decoder.free();
    }
  }
  other.free();
  console.log(`${compared} instructions of ${files} modules compared`);
  expect([...different]).toEqual([]);
  expect(compared).toBeGreaterThan(100_000);
});
