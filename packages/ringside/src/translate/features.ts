import { ENCODINGS, type Instruction, type Undecodable } from '../x86/index.ts';

/** Features of processors beyond baseline x86-64 whose instructions Ringside has, by their names in /proc/cpuinfo. */
export const CPU_FEATURES = [
  'abm',
  'bmi1',
  'clflushopt',
  'clwb',
  'cx16',
  'fsgsbase',
  'lahf_lm',
  'movbe',
  'pni',
  'popcnt',
  'smap',
  'sse4_2',
] as const;

export type CpuFeature = (typeof CPU_FEATURES)[number];

/** The instructions of each feature, by their names in the table. Source: SDM vol. 2, "CPUID Feature Flag". */
const INSTRUCTIONS: Readonly<Record<CpuFeature, string>> = {
  abm: 'lzcnt',
  bmi1: 'tzcnt',
  clflushopt: 'clflushopt',
  clwb: 'clwb',
  cx16: 'cmpxchg16b',
  fsgsbase: 'rdfsbase rdgsbase wrfsbase wrgsbase',
  lahf_lm: 'lahf sahf',
  movbe: 'movbe',
  pni: 'addsubpd addsubps haddpd haddps hsubpd hsubps lddqu movddup movshdup movsldup fisttp',
  popcnt: 'popcnt',
  smap: 'clac stac',
  sse4_2: 'crc32',
};

/** Encodings whose prefix F3 means nothing to a processor without the feature: by name, the instruction it makes. */
const WITHOUT: Readonly<Record<string, string>> = { lzcnt: 'bsr', tzcnt: 'bsf' };

/** What processors that lack features make of encodings. */
export class FeatureSet {
  /** By an encoding's id: whether it is of a feature that is not there. */
  readonly #missing: Uint8Array;

  constructor(features: ReadonlySet<CpuFeature>) {
    const names = new Set(
      CPU_FEATURES.filter((feature) => !features.has(feature)).flatMap((f) => INSTRUCTIONS[f].split(' ')),
    );
    this.#missing = Uint8Array.from(ENCODINGS, ({ name }) => (names.has(name) ? 1 : 0));
  }

  /** The instruction as this processor makes it: another one, or none. */
  apply(ins: Instruction): Instruction | Undecodable {
    if (this.#missing[ins.encoding.id] === 0) return ins;
    const name = WITHOUT[ins.name];
    const encoding = ENCODINGS.find((e) => e.name === name);
    if (name === undefined || encoding === undefined)
      return { addr: ins.addr, reason: 'invalid', length: ins.length };
    return { ...ins, name, encoding, rep: true };
  }
}
