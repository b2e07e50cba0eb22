import { describe, expect, test } from 'vitest';
import { asAddr } from '../bytes/index.ts';
import { GuestMemory } from '../memory/index.ts';
import { ENCODINGS } from '../x86/index.ts';
import { bareMachine } from './bare-machine.ts';

/** Deterministic numbers (xorshift32). */
function generator(seed: number): (limit: number) => number {
  let x = seed;
  return (limit) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % limit;
  };
}

const SPACING = 64;
/** `RANDOM_CODE_BUFFERS=50000` for the long run. */
const COUNT = Number(process.env['RANDOM_CODE_BUFFERS'] ?? 4000);
/** Buffers of one machine: V8 gets slow when thousands of modules share a table. */
const PER_MACHINE = 2000;
const BATCH = 250;

type Fill = (buffer: Uint8Array, next: (limit: number) => number) => void;

const bytes: Fill = (buffer, next) => {
  for (let i = 0; i < buffer.length; i++) buffer[i] = next(256);
};

/** Opcodes of the table with prefixes and operands at random: most are instructions, so that more of them are run. */
const opcodes: Fill = (buffer, next) => {
  let at = 0;
  const put = (...all: readonly number[]): void => {
    for (const byte of all) if (at < buffer.length) buffer[at++] = byte;
  };
  while (at < buffer.length) {
    const e = ENCODINGS[next(ENCODINGS.length)]!;
    if (next(8) === 0) put([0x66, 0xf0, 0xf2, 0xf3, 0x65, 0x64, 0x67, 0x2e][next(8)]!);
    if (e.prefix !== '' && e.prefix !== 'NP') put(Number.parseInt(e.prefix, 16));
    if (next(3) === 0 || e.w >= 0) put(0x40 | next(16));
    if (e.map > 0) put(0x0f);
    if (e.map > 1) put(e.map === 2 ? 0x38 : 0x3a);
    put(e.opcode + (e.plusRegister ? next(8) : 0));
    if (!e.hasModRm) continue;
    const modRm = e.modRm >= 0 ? e.modRm : next(256);
    put(e.digit >= 0 ? (modRm & 0xc7) | (e.digit << 3) : modRm);
  }
};

describe.each([
  ['random bytes', bytes],
  ['random opcodes', opcodes],
] as const)('%s as code', (name, fill) => {
  /** All buffers, some thousand at a time, in machines that have them translated. */
  const eachMachine = (
    checked: boolean,
    visit: (machine: ReturnType<typeof bareMachine>, starts: ReturnType<typeof asAddr>[]) => void,
  ): void => {
    const next = generator(checked ? 4711 : 815);
    const memory = new GuestMemory();
    for (let from = 0; from < COUNT; from += PER_MACHINE) {
      const count = Math.min(PER_MACHINE, COUNT - from);
      const text = new Uint8Array(count * SPACING);
      for (let i = 0; i < count; i++) fill(text.subarray(i * SPACING, (i + 1) * SPACING), next);
      const machine = bareMachine(text, {
        checked,
        memory,
        functionAt: (addr) => ({ start: addr, size: SPACING }),
      });
      const starts = Array.from({ length: count }, (_, i) => asAddr(machine.text + i * SPACING));
      for (let i = 0; i < count; i += BATCH) machine.cpu.translate(starts.slice(i, i + BATCH));
      expect(machine.cpu.translation.functions).toBeGreaterThanOrEqual(count);
      visit(machine, starts);
    }
  };
  const timeout = 120_000 + 20 * COUNT;

  test(
    'end in a stop, never in a host exception or a hang',
    () => {
      const kinds = new Map<string, number>();
      eachMachine(true, (machine, starts) => {
        for (const [i, start] of starts.entries()) {
          const { cpu } = machine;
          for (let r = 0; r < 16; r++) cpu.regs.setU64(r, BigInt(machine.heap) + BigInt(0x1000 + 256 * r));
          if (i % 3 === 0) cpu.regs.setU64(1, 40n);
          const args = [BigInt(machine.heap) + 0x800n, 64, BigInt(machine.heap) + 100n];
          const before = cpu.retired;
          const stop = machine.call(start, args, 1000) ?? { kind: 'returned' };
          if (stop.kind === 'unsupported')
            expect(stop.error.message).toMatch(/instruction "\w|\([0-9a-f]{2}/);
          // A stop comes soon: within the text, and what is called from it.
          expect(cpu.retired - before).toBeLessThan(20_000);
          kinds.set(stop.kind, (kinds.get(stop.kind) ?? 0) + 1);
        }
      });
      console.log(`${name}: ${[...kinds].map(([kind, n]) => `${n} ${kind}`).join(', ')}`);
      expect([...kinds.keys()]).toEqual(expect.arrayContaining(['exception', 'returned']));
    },
    timeout,
  );

  test('become valid WebAssembly without checks too', () => eachMachine(false, () => undefined), timeout);
});
