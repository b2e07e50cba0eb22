import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asAddr } from '../bytes/index.ts';
import { bareMachine } from './bare-machine.ts';
import { kernelMachine, outcome, runSliced, SMALL_KERNELS } from './kernels.fixture.ts';
import { RAX, RDI } from './register-file.ts';

const file = readFileSync(new URL('../../../../bench/engine/guest.elf', import.meta.url));

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.trim().split(/\s+/), (b) => Number.parseInt(b, 16));
}

describe('the same run gives the same registers, flags, memory and count', () => {
  const whole = kernelMachine(file);
  const reference = new Map(SMALL_KERNELS.map(([k, n]) => [k, runSliced(whole, k, n, () => 2 ** 30)]));

  test.each(SMALL_KERNELS)('%s translated without checks', (kernel, size) => {
    expect(runSliced(kernelMachine(file, { checked: false }), kernel, size, () => 2 ** 30)).toBe(
      reference.get(kernel),
    );
  });

  const single = kernelMachine(file, { stepped: true });

  test.each(SMALL_KERNELS)('%s made one instruction at a time', (kernel, size) => {
    const before = single.machine.cpu.retired;
    expect(single.begin(kernel, size, 1)).toEqual({ kind: 'fuel' });
    const { cpu } = single.machine;
    for (;;) {
      const retired = cpu.retired;
      const stop = cpu.step();
      if (stop !== undefined) {
        expect(stop).toEqual({ kind: 'native' });
        break;
      }
      expect(cpu.retired).toBe(retired + 1);
    }
    expect(outcome(single, before)).toBe(reference.get(kernel));
  });

  const sliced = kernelMachine(file);

  test.each(SMALL_KERNELS)('%s in slices of any sizes', (kernel, size) => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 1, max: 400 })), (sizes) => {
        expect(runSliced(sliced, kernel, size, () => sizes.next().value as number)).toBe(
          reference.get(kernel),
        );
      }),
      { seed: 20, numRuns: 10 },
    );
  });

  test.each(SMALL_KERNELS)('%s stops at the same places, whole or stepped', (kernel, size) => {
    const stops = [whole, single].map((of) => {
      const places: string[] = [];
      const before = of.machine.cpu.retired;
      runSliced(of, kernel, size, () => {
        places.push(`${of.machine.cpu.regs.rip} after ${of.machine.cpu.retired - before}`);
        return 37;
      });
      return places.slice(1);
    });
    expect(stops[0]!.length).toBeGreaterThan(5);
    expect(stops[1]).toEqual(stops[0]);
  });
});

describe('a breakpoint', () => {
  // xor %eax,%eax; 1: add %rdi,%rax; dec %rdi; jne 1b; ret
  const loop = bytes('31 c0 48 01 f8 48 ff cf 75 f8 c3');

  test('stops before its instruction each time, until it is removed', () => {
    const m = bareMachine(loop);
    const at = asAddr(m.text + 5);
    expect(m.call(m.text, [10])).toBeUndefined();
    m.cpu.addBreakpoint(at);
    const seen: bigint[] = [];
    let stop = m.call(m.text, [10]);
    while (stop?.kind === 'breakpoint') {
      expect(m.cpu.regs.rip).toBe(at);
      seen.push(m.cpu.regs.u64(RDI));
      if (seen.length === 4) m.cpu.removeBreakpoint(at);
      stop = m.cpu.step() ?? m.cpu.run(1000);
    }
    expect(seen).toEqual([10n, 9n, 8n, 7n]);
    expect(stop).toEqual({ kind: 'native' });
    expect(m.cpu.regs.u64(RAX)).toBe(55n);
    expect(m.cpu.retired).toBe(2 * 32);
  });

  test('on the first instruction of a function stops calls of it, where run begins and where it is called', () => {
    // call +0x10; add $1,%rax; ret ... at 0x15: mov $41,%eax; ret
    const code = new Uint8Array(0x40).fill(0xcc);
    code.set(bytes('e8 10 00 00 00 48 83 c0 01 c3'), 0);
    code.set(bytes('b8 29 00 00 00 c3'), 0x15);
    const m = bareMachine(code);
    expect(m.call(m.text)).toBeUndefined();
    m.cpu.addBreakpoint(m.text);
    m.cpu.addBreakpoint(asAddr(m.text + 0x15));
    expect(m.call(m.text)).toEqual({ kind: 'breakpoint' });
    expect(m.cpu.regs.rip).toBe(m.text);
    expect(m.cpu.run(100)).toEqual({ kind: 'breakpoint' });
    expect(m.cpu.step()).toBeUndefined();
    expect(m.cpu.run(100)).toEqual({ kind: 'breakpoint' });
    expect(m.cpu.regs.rip).toBe(m.text + 0x15);
    expect(m.memory.readPtr(m.cpu.regs.rsp)).toBe(m.text + 5);
    expect(m.cpu.step() ?? m.cpu.run(100)).toEqual({ kind: 'native' });
    expect(m.cpu.regs.u64(RAX)).toBe(42n);
  });

  test('on a function of ours stops before it is called', () => {
    // sub $8,%rsp; call +0x40; add $8,%rsp; ret
    const code = new Uint8Array(128).fill(0xcc);
    code.set(bytes('48 83 ec 08 e8 37 00 00 00 48 83 c4 08 c3'));
    let calls = 0;
    const native = asAddr(-0x40000000 + 0x40);
    const m = bareMachine(code, {
      natives: [{ addr: native, run: () => ++calls > 0 }],
      functionAt: (addr) => (addr < native ? { start: asAddr(-0x40000000), size: 0x40 } : undefined),
    });
    expect(m.call(m.text)).toBeUndefined();
    m.cpu.addBreakpoint(native);
    expect(m.call(m.text)).toEqual({ kind: 'breakpoint' });
    expect([calls, m.cpu.regs.rip]).toEqual([1, native]);
    const retired = m.cpu.retired;
    expect(m.cpu.step()).toBeUndefined();
    expect([calls, m.cpu.regs.rip, m.cpu.retired]).toEqual([2, m.text + 9, retired]);
    expect(m.cpu.run(100)).toEqual({ kind: 'native' });
    m.cpu.removeBreakpoint(native);
    expect(m.call(m.text)).toBeUndefined();
    expect(calls).toBe(3);
  });
});

describe.each([true, false])('a watchpoint (checked: %s)', (checked) => {
  // mov (%rdi),%rax; inc %rax; mov %rax,(%rdi); mov %eax,16(%rdi); ret
  const code = bytes('48 8b 07 48 ff c0 48 89 07 89 47 10 c3');

  test('stops behind the access that touches it, made as it is without', () => {
    const m = bareMachine(code, { checked });
    m.memory.writeU64(m.heap, 41n);
    const watchpoint = { addr: asAddr(m.heap + 4), size: 2, access: 'write' } as const;
    m.cpu.addWatchpoint(watchpoint);
    const hit = { kind: 'watchpoint', watchpoint, address: m.heap, accessSize: 8, access: 'write' };
    expect(m.call(m.text, [BigInt(m.heap)])).toEqual(hit);
    expect(m.cpu.regs.rip).toBe(m.text + 9);
    expect(m.memory.view.getBigUint64(m.heap >>> 0, true)).toBe(42n);
    expect(m.cpu.run(100)).toEqual({ kind: 'native' });
    expect(m.cpu.retired).toBe(5);
    m.cpu.removeWatchpoint(watchpoint);
    expect(m.call(m.text, [BigInt(m.heap)])).toBeUndefined();
    expect(m.memory.readU64(m.heap)).toBe(43n);
  });

  test('on reading leaves writing alone, and neighbours in its granule', () => {
    const m = bareMachine(code, { checked });
    m.cpu.addWatchpoint({ addr: asAddr(m.heap + 20), size: 4, access: 'any' });
    m.cpu.addWatchpoint({ addr: m.heap, size: 1, access: 'read' });
    expect(m.call(m.text, [BigInt(m.heap)])).toMatchObject({ kind: 'watchpoint', access: 'read' });
    expect(m.cpu.regs.rip).toBe(m.text + 3);
    expect(m.cpu.run(100)).toEqual({ kind: 'native' });
  });

  test('sees what functions of ours do', () => {
    // sub $8,%rsp; call +0x40; add $8,%rsp; ret
    const caller = new Uint8Array(128).fill(0xcc);
    caller.set(bytes('48 83 ec 08 e8 37 00 00 00 48 83 c4 08 c3'));
    const m = bareMachine(caller, {
      checked,
      natives: [
        {
          addr: asAddr(-0x40000000 + 0x40),
          run: (machine) => {
            machine.memory.writeU32(machine.heap, 7);
            return true;
          },
        },
      ],
    });
    m.cpu.addWatchpoint({ addr: m.heap, size: 4, access: 'write' });
    expect(m.call(m.text)).toMatchObject({ kind: 'watchpoint', address: m.heap, accessSize: 4 });
    expect(m.cpu.regs.rip).toBe(m.text + 9);
    expect(m.memory.view.getUint32(m.heap >>> 0, true)).toBe(7);
    expect(m.cpu.run(100)).toEqual({ kind: 'native' });
  });

  test('keeps what the shadow says of the memory', () => {
    const m = bareMachine(code, { checked: true });
    m.cpu.addWatchpoint({ addr: m.heap, size: 8, access: 'read' });
    m.memory.poison(m.heap, 16, -4);
    expect(m.call(m.text, [BigInt(m.heap)])).toMatchObject({ kind: 'poison', address: m.heap });
    m.memory.unpoison(m.heap, 24);
    expect(m.call(m.text, [BigInt(m.heap)])).toMatchObject({ kind: 'watchpoint' });
  });
});

describe('an instruction that jumps to itself', () => {
  // mov $5,%ecx; 5: loop 5b; test %eax,%eax; 9: je 9b
  const code = bytes('b9 05 00 00 00 e2 fe 85 c0 74 fe');

  test('is one step a round', () => {
    const m = bareMachine(code);
    expect(m.call(m.text, [], 1)).toEqual({ kind: 'fuel' });
    const places: number[] = [];
    for (let i = 0; i < 10; i++) {
      places.push(m.cpu.regs.rip - m.text);
      const before = m.cpu.retired;
      expect(m.cpu.step()).toBeUndefined();
      expect(m.cpu.retired).toBe(before + 1);
    }
    expect(places).toEqual([5, 5, 5, 5, 7, 9, 9, 9, 9, 9]);
  });

  test.each([{}, { checked: false }, { stepped: true }])(
    'is stopped when its fuel is used up: %o',
    (options) => {
      for (const tight of ['eb fe', '31 c0 74 fe', '31 c9 67 e3 fd', 'f9 0f 82 fa ff ff ff']) {
        const m = bareMachine(bytes(tight), options);
        expect(m.call(m.text, [], 1000)).toEqual({ kind: 'fuel' });
        expect(m.cpu.retired).toBeLessThan(1010);
        expect(m.cpu.run(1000)).toEqual({ kind: 'fuel' });
      }
    },
  );
});

describe.each([
  [
    "returns that are no call's",
    '48 8d 05 0a 00 00 00 50 48 8d 05 08 00 00 00 50 c3 48 ff cf 75 ea c3 90 48 8d 05 02 00 00 00 ff e0 c3',
  ],
  ['indirect jumps alone', '48 8d 05 07 00 00 00 48 ff cf 78 0b ff e0 48 8d 05 eb ff ff ff ff e0 c3'],
  // 5: call f; dec %rdi; jne 5b; ret; f: push %rdi; pop %rax; jmp g; 3 bytes; g: ret
  ['calls and jumps', 'e8 06 00 00 00 48 ff cf 75 f6 c3 57 58 eb 03 cc cc cc c3'],
])('code that goes on by %s', (_what, hex) => {
  const code = bytes(hex);
  const whole = { start: asAddr(-0x40000000), size: code.length };
  test.each([
    ['where nothing is known of functions', {}],
    ['inside a function', { functionAt: () => whole }],
  ])('stops at the same places in every mode, %s', (_where, bounds) => {
    for (const slice of [1, 2, 3, 7]) {
      const traces = [
        {},
        { hotAfter: 1 },
        { checked: false },
        { checked: false, hotAfter: 1 },
        { stepped: true },
      ].map((options) => {
        const m = bareMachine(code, { ...options, ...bounds });
        const places: string[] = [];
        let stop = m.call(m.text, [9], slice);
        while (stop?.kind === 'fuel') {
          places.push(`${m.cpu.regs.rip - m.text} after ${m.cpu.retired}`);
          stop = m.cpu.run(slice);
        }
        expect(stop?.kind).toBe('native');
        return places;
      });
      expect(traces[0]!.length).toBeGreaterThan(3);
      for (const trace of traces.slice(1)) expect(trace).toEqual(traces[0]);
    }
  });
});

describe('a loop in which functions of ours are called', () => {
  // 0: call 40; sub $8,%rsp; call *%rsi; add $8,%rsp; dec %rdi; jne 0b; jmp 40
  const loop = bytes('e8 3b 00 00 00 48 83 ec 08 ff d6 48 83 c4 08 48 ff cf 75 ec eb 2a');
  const native = asAddr(-0x40000000 + 0x40);
  const modes = [{}, { hotAfter: 1 }, { checked: false }, { checked: false, hotAfter: 1 }, { stepped: true }];
  const run = (options: object, slice: number, fuelPerCall: number) => {
    let calls = 0;
    const m = bareMachine(loop, {
      ...options,
      fuelPerCall,
      natives: [
        {
          addr: native,
          run: ({ cpu }) => {
            // Some do more work than others.
            if (fuelPerCall > 0) cpu.spend(calls % 3);
            return ++calls > 0;
          },
        },
      ],
      functionAt: (addr) => (addr < native ? { start: asAddr(-0x40000000), size: loop.length } : undefined),
    });
    const stops: string[] = [];
    let stop = m.call(m.text, [200, BigInt.asUintN(64, BigInt(native))], slice);
    while (stop?.kind === 'fuel') {
      stops.push(`${m.cpu.regs.rip - m.text} after ${m.cpu.retired} and ${calls}`);
      stop = m.cpu.run(slice);
    }
    expect([m.cpu.retired, calls]).toEqual([200 * 6 + 1, 401]);
    return stops;
  };

  test('uses up its fuel by the calls, and stops at the same places in every mode', () => {
    for (const slice of [1, 7, 130, 1000]) {
      const [first, ...others] = modes.map((options) => run(options, slice, 50));
      expect(first!.length).toBeGreaterThan((200 * 106) / (slice + 106) - 2);
      for (const other of others) expect(other).toEqual(first);
    }
  });

  test('takes no more than its instructions where calls are free', () => {
    for (const options of modes) expect(run(options, 300, 0)).toHaveLength(4 - 1);
  });
});
