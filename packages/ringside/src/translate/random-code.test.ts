import { expect, test } from 'vitest';
import { asAddr } from '../bytes/index.ts';
import { bareMachine } from './bare-machine.ts';

/** Deterministic bytes (xorshift32). */
function generator(seed: number): () => number {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x & 0xff;
  };
}

const SPACING = 64;
/** `RANDOM_CODE_BUFFERS=50000` for the long run. */
const COUNT = Number(process.env['RANDOM_CODE_BUFFERS'] ?? 3000);

for (const checked of [true, false]) {
  test(
    `random bytes as code end in a stop, never in a host exception (${checked ? 'checked' : 'plain'})`,
    () => {
      const next = generator(checked ? 4711 : 815);
      const text = Uint8Array.from({ length: COUNT * SPACING }, next);
      const machine = bareMachine(text, { checked, functionAt: (addr) => ({ start: addr, size: SPACING }) });
      const { cpu } = machine;
      const kinds = new Map<string, number>();
      const starts = Array.from({ length: COUNT }, (_, i) => asAddr(machine.text + i * SPACING));
      for (let i = 0; i < COUNT; i += 250) cpu.translate(starts.slice(i, i + 250));
      if (checked) {
        for (const start of starts) {
          const stop = machine.call(start, [BigInt(machine.heap), 64, BigInt(machine.heap) + 100n], 1000) ?? {
            kind: 'returned',
          };
          if (stop.kind === 'unsupported')
            expect(stop.error.message).toMatch(/instruction "\w|\([0-9a-f]{2}/);
          kinds.set(stop.kind, (kinds.get(stop.kind) ?? 0) + 1);
        }
        expect([...kinds.keys()].sort()).toEqual(['exception', 'fuel', 'returned', 'unsupported']);
      }
      expect(cpu.translation.functions).toBeGreaterThanOrEqual(COUNT);
    },
    120_000 + 20 * COUNT,
  );
}
