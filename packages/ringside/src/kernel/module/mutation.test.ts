import { describe, expect, it } from 'vitest';
import { FormatError, UnsupportedError } from '../../bytes/index.ts';
import { GuestMemory } from '../../memory/index.ts';
import { deleteModule } from './delete.ts';
import { freeModule } from './free.ts';
import { finitModule } from './load.ts';
import { exampleModule, Loader } from './loader.fixture.ts';
import { procKallsyms, procModules } from './procfs.ts';

/** Mutants in this run; CI sets RINGSIDE_MUTANTS to 10000 or more. */
const MUTANTS = Number(process.env['RINGSIDE_MUTANTS'] ?? 600);
const SEED = Number(process.env['RINGSIDE_SEED'] ?? 1);

const SOURCES = ['hello/hello', 'params/params', 'exports/exporter', 'two-files/two-files', 'time/work'];

/** A small generator with a fixed seed (mulberry32). */
function random(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit) | 0;
  };
}

interface Section {
  readonly header: number;
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
}

function sectionsOf(view: DataView): Section[] {
  const shoff = Number(view.getBigUint64(40, true));
  return Array.from({ length: view.getUint16(60, true) }, (_, i) => {
    const header = shoff + 64 * i;
    return {
      header,
      type: view.getUint32(header + 4, true),
      flags: view.getUint32(header + 8, true),
      offset: Number(view.getBigUint64(header + 24, true)),
      size: Number(view.getBigUint64(header + 32, true)),
    };
  });
}

const INTERESTING = [
  0, 1, 2, 4, 7, 8, 0x10, 0x7f, 0x80, 0xff, 0xfff0, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
];

/** Changes a copy of a module: its header, section headers, content, symbols or relocations. */
function mutate(original: Uint8Array, pick: (limit: number) => number): Uint8Array {
  const bytes = original.slice();
  const view = new DataView(bytes.buffer);
  const sections = sectionsOf(view);
  const any = <T>(list: readonly T[]): T => list[pick(list.length)]!;
  const value = (): number => (pick(2) ? any(INTERESTING) : pick(0x7fffffff));
  const inContent = (
    wanted: (section: Section) => boolean,
    change: (at: number, section: Section) => void,
  ): void => {
    const candidates = sections.filter((s) => s.type !== 8 && s.size >= 8 && wanted(s));
    if (candidates.length === 0) return;
    const section = any(candidates);
    change(section.offset + pick(section.size), section);
  };
  for (let edits = 1 + pick(3); edits > 0; edits--) {
    switch (pick(12)) {
      case 0:
        bytes[pick(64)] = pick(256);
        break;
      case 1: {
        // one field of one section header
        const { header } = any(sections);
        const field = any([0, 4, 8, 16, 24, 32, 40, 44, 48, 56]);
        view.setUint32(header + field, value(), true);
        break;
      }
      case 2:
        inContent(
          () => true,
          (at) => (bytes[at] = pick(256)),
        );
        break;
      case 3:
        inContent(
          (s) => (s.flags & 2) !== 0,
          (at) => (bytes[at] = bytes[at]! ^ (1 << pick(8))),
        );
        break;
      case 4:
        return bytes.slice(0, pick(4) ? bytes.length - pick(64) : pick(bytes.length));
      case 5:
      case 6:
      case 7: {
        // a field of a relocation: offset, type, symbol, addend
        inContent(
          (s) => s.type === 4,
          (at, section) => {
            const entry = section.offset + Math.floor((at - section.offset) / 24) * 24;
            view.setUint32(entry + any([0, 4, 8, 8, 12, 12, 16, 20]), pick(3) ? pick(64) : value(), true);
          },
        );
        break;
      }
      case 8:
      case 9: {
        // a field of a symbol: name, info, section, value
        inContent(
          (s) => s.type === 2,
          (at, section) => {
            const entry = section.offset + Math.floor((at - section.offset) / 24) * 24;
            const field = any([0, 4, 6, 8, 16]);
            if (field === 4) bytes[entry + 4] = pick(256);
            else if (field === 6) view.setUint16(entry + 6, pick(2) ? pick(60) : value() & 0xffff, true);
            else view.setUint32(entry + field, value(), true);
          },
        );
        break;
      }
      default:
        // two sections change places
        if (pick(4) === 0) {
          const a = any(sections).header;
          const b = any(sections).header;
          const kept = bytes.slice(a, a + 64);
          bytes.copyWithin(a, b, b + 64);
          bytes.set(kept, b);
        } else
          inContent(
            (s) => (s.flags & 2) !== 0,
            (at) => view.setUint32(Math.min(at, bytes.length - 4), value(), true),
          );
    }
  }
  return bytes;
}

describe('mutated modules', () => {
  it(`end in a load, an errno or a FormatError, and leave nothing behind (${MUTANTS} mutants)`, {
    timeout: 3_600_000,
  }, () => {
    const memory = new GuestMemory();
    const originals = SOURCES.map(exampleModule);
    const pick = random(SEED);
    const outcome = { loaded: 0, refused: 0, format: 0, unsupported: 0 };
    let pastHeader = 0;
    for (let i = 0; i < MUTANTS; i++) {
      const loader = new Loader({ memory });
      const { modules } = loader;
      const bytes = mutate(originals[i % originals.length]!, pick);
      const what = `mutant ${i} of seed ${SEED}`;
      try {
        const result = loader.run(finitModule(modules, bytes, 'name=x number=1'));
        expect(result, what).toBeLessThanOrEqual(0);
        if (result === 0) outcome.loaded++;
        else outcome.refused++;
      } catch (error) {
        if (error instanceof FormatError) outcome.format++;
        else if (error instanceof UnsupportedError) outcome.unsupported++;
        else throw new Error(`${what}: ${error instanceof Error ? error.stack : String(error)}`);
      }
      if (loader.allocations > 0) pastHeader++;
      const [module] = modules.list();
      if (module !== undefined) {
        expect(procModules(modules), what).toContain(' Live ');
        for (const line of procKallsyms(modules)) expect(line).not.toBe('');
        if (loader.run(deleteModule(modules, module.name)) !== 0) loader.run(freeModule(modules, module));
      }
      expect([...loader.areas.keys()], what).toEqual([]);
      expect([...loader.objects.keys()], what).toEqual([]);
      expect([...modules.list()], what).toEqual([]);
    }
    expect(pastHeader / MUTANTS).toBeGreaterThan(0.3);
    expect(outcome.loaded).toBeGreaterThan(0);
    expect(outcome.refused).toBeGreaterThan(0);
    process.stdout.write(`${JSON.stringify({ ...outcome, pastHeader })}\n`);
  });
});
