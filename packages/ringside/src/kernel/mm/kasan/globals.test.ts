import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { asAddr } from '../../../bytes/index.ts';
import { LineTable } from '../../../dwarf/index.ts';
import { ElfFile } from '../../../elf/index.ts';
import { POISON } from '../../../memory/index.ts';
import { smallMachine } from '../../kernel.fixture.ts';

const folder = new URL('../../../../../../modules/', import.meta.url);
const modules = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.ko'),
);

test('no byte of a variable that the debug information knows is poisoned, in any example module', async () => {
  let checked = 0;
  for (const path of modules) {
    const { machine } = await smallMachine({ commandLine: 'module.sig_enforce=0' });
    const { kernel } = machine;
    const file = readFileSync(new URL(path, folder));
    const elf = new ElfFile(file);
    // when the module's memory is complete and before anything of it runs
    const { events } = kernel.modules.host;
    const formed = events.formed!;
    events.formed = (module) => {
      formed(module);
      for (const variable of new LineTable(elf).variables) {
        const section = module.sections.find((s) => s.name === elf.sectionAt(variable.section).name);
        if (section === undefined || variable.sizeBytes === undefined) continue;
        const addr = asAddr(section.addr + variable.offset);
        const fault = kernel.memory.faultReason(addr, variable.sizeBytes, 'read');
        expect(fault, `${path} ${variable.name}`).toBeUndefined();
        checked++;
      }
    };
    await machine.insmod(file);
  }
  expect(checked).toBeGreaterThan(200);
});

test('what alignment leaves behind a variable is poisoned up to the byte, and in constants up to the granule', async () => {
  const { machine } = await smallMachine();
  const { kernel } = machine;
  await machine.insmod(readFileSync(new URL('memory-bugs/memory-bugs.ko', folder)));
  const [module] = kernel.modules.list();
  const variable = (name: string) => {
    const addr = kernel.modules.lookupName(`memory_bugs:${name}`);
    const found = kernel.globals.variableAt(module!, addr)!;
    expect(found).toMatchObject({ name, start: addr });
    return found;
  };
  const counters = variable('counters');
  const behind = asAddr(counters.start + counters.size);
  expect(kernel.memory.faultReason(behind, 1, 'read')).toBe('poison');
  expect(kernel.memory.faultReason(asAddr(behind - 1), 1, 'write')).toBeUndefined();
  const squares = variable('squares');
  const granule = asAddr(Math.ceil((squares.start + squares.size) / 8) * 8);
  expect(kernel.memory.shadowAt(granule)).toBe(POISON.globalRedzone);
  // a constant's last granule stays read-only as a whole: the shadow has no other word for it
  expect(kernel.memory.faultReason(asAddr(granule - 1), 1, 'read')).toBeUndefined();
  expect(kernel.memory.faultReason(asAddr(granule - 1), 1, 'write')).toBe('protection');
});
