import { expect, test } from 'vitest';
import { type BareMachineOptions, bareMachine } from './bare-machine.ts';
import { CPU_FEATURES, type CpuFeature } from './cpu.ts';
import { RAX, RCX, SLOT_RFLAGS } from './register-file.ts';

const ZF = 0x40n;

/** Instructions on %rax (the value given), %rcx (7) and the heap (%rdi). */
const OF_FEATURES: readonly (readonly [feature: CpuFeature, hex: string])[] = [
  ['popcnt', 'f3 48 0f b8 c8'],
  ['movbe', '0f 38 f0 07'],
  ['sse4_2', 'f2 48 0f 38 f1 c8'],
  ['fsgsbase', 'f3 48 0f ae c0'],
  ['fsgsbase', 'f3 48 0f ae d9'],
  ['smap', '0f 01 ca'],
  ['smap', '0f 01 cb'],
  ['clflushopt', '66 0f ae 3f'],
  ['clwb', '66 0f ae 37'],
  ['cx16', '48 0f c7 0f'],
  ['lahf_lm', '9f'],
  ['pni', 'f2 0f f0 07'],
  ['pni', 'df 0f'],
];

function run(hex: string, rax: bigint, options: BareMachineOptions) {
  const code = Uint8Array.from(`${hex} c3`.split(' '), (b) => Number.parseInt(b, 16));
  const m = bareMachine(code, options);
  m.cpu.regs.setU64(RAX, rax);
  m.cpu.regs.setU64(RCX, 7n);
  return { m, stop: m.call(m.text, [BigInt(m.heap)]) };
}

const without = (feature: CpuFeature): ReadonlySet<CpuFeature> =>
  new Set(CPU_FEATURES.filter((other) => other !== feature));

test.each(OF_FEATURES)('an instruction of %s is one only where that is there: %s', (feature, hex) => {
  for (const options of [{}, { stepped: true }, { checked: false }]) {
    expect(run(hex, 5n, options).stop).toBeUndefined();
    expect(run(hex, 5n, { ...options, features: new Set([feature]) }).stop).toBeUndefined();
    const { m, stop } = run(hex, 5n, { ...options, features: without(feature) });
    expect(stop).toEqual({ kind: 'exception', vector: 6, errorCode: 0 });
    expect(m.cpu.regs.rip).toBe(m.text);
  }
});

test.each([
  ['bmi1', 'f3 48 0f bc c8', 3n, 64n],
  ['abm', 'f3 48 0f bd c8', 58n, 64n],
] as const)(
  'the counting instruction of %s is a bit scan where that is not there: %s',
  (feature, hex, count, ofZero) => {
    const scan = feature === 'bmi1' ? 3n : 5n;
    for (const options of [{}, { stepped: true }, { checked: false }]) {
      const results = [undefined, without(feature)].map((features) =>
        [0x28n, 0n].map((rax) => {
          const { m, stop } = run(hex, rax, features === undefined ? options : { ...options, features });
          expect(stop).toBeUndefined();
          return [m.cpu.regs.u64(RCX), m.cpu.regs.u64(SLOT_RFLAGS) & ZF];
        }),
      );
      // Of nothing, a scan leaves its destination, and says so.
      expect(results).toEqual([
        [
          [count, 0n],
          [ofZero, 0n],
        ],
        [
          [scan, 0n],
          [7n, ZF],
        ],
      ]);
    }
  },
);
