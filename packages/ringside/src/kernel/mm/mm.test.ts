import { expect, test } from 'vitest';
import { GFP } from '../../abi/index.ts';
import { asAddr, type GuestAddr } from '../../bytes/index.ts';
import { POISON } from '../../memory/index.ts';
import { inTask, native, smallMachine } from '../kernel.fixture.ts';

const GFP_KERNEL = 0xcc0;

test('krealloc stays in place while the object has the room, and bars what was given up', async () => {
  const { machine } = await smallMachine();
  const { memory, reports } = machine.kernel;
  const seen: GuestAddr[] = [];
  await inTask(machine, function* () {
    const p = yield* native(machine, '__kmalloc', 40, GFP_KERNEL);
    memory.writeU64(p, 0x1122n);
    seen.push(p, yield* native(machine, 'krealloc', p, 20, GFP_KERNEL));
    memory.readU8(asAddr(p + 20));
    seen.push(yield* native(machine, 'krealloc', p, 64, GFP_KERNEL));
    memory.readU8(asAddr(p + 63));
    const moved = yield* native(machine, 'krealloc', p, 65, GFP_KERNEL);
    seen.push(moved);
    expect(memory.readU64(moved)).toBe(0x1122n);
    memory.readU8(p);
  });
  expect(seen[1]).toBe(seen[0]);
  expect(seen[2]).toBe(seen[0]);
  expect(seen[3]).not.toBe(seen[0]);
  const offsets = reports.all.map((report) => report.kind === 'poison' && report.address - seen[0]!);
  expect(offsets).toContain(20);
});

test('ksize gives the size of the object, all of which may be used afterwards', async () => {
  const { machine } = await smallMachine();
  const { memory, reports } = machine.kernel;
  await inTask(machine, function* () {
    for (const [asked, size] of [
      [33, 64],
      [8193, 16384],
    ] as const) {
      const p = yield* native(machine, '__kmalloc', asked, GFP_KERNEL);
      expect(yield* native(machine, 'ksize', p)).toBe(size);
      memory.writeU8(asAddr(p + size - 1), 1);
    }
  });
  expect(reports.all).toEqual([]);
});

test('objects of a power-of-two size are aligned to it, and zeroed only as far as they reach', async () => {
  const { machine } = await smallMachine();
  await inTask(machine, function* () {
    for (let size = 8; size <= 2 ** 20; size *= 2) {
      const p = yield* native(machine, '__kmalloc', size, GFP_KERNEL | GFP.__GFP_ZERO);
      expect((p >>> 0) % size).toBe(0);
      machine.kernel.memory.fill(p, 0xaa, size);
      const q = yield* native(machine, '__kmalloc', size, GFP_KERNEL | GFP.__GFP_ZERO);
      expect(machine.kernel.memory.readU8(asAddr(p + size - 1))).toBe(0xaa);
      expect(machine.kernel.memory.readU8(q)).toBe(0);
    }
  });
});

test('freeing twice is reported, and freeing what was never memory faults', async () => {
  const { machine, log } = await smallMachine();
  await inTask(machine, function* () {
    const p = yield* native(machine, '__kmalloc', 40, GFP_KERNEL);
    yield* native(machine, 'kfree', p);
    yield* native(machine, 'kfree', p);
    yield* native(machine, 'kfree', 0x1234);
  });
  expect(machine.reports.map((report) => report.kind)).toEqual(['bad-free', 'bad-free', 'fault']);
  expect(log.join('\n')).toMatch(/unable to handle page fault[\s\S]*RIP: 0010:kfree\+/);
});

test('memory that is used up gives NULL, and all of it comes back', async () => {
  const { machine } = await smallMachine();
  const before = machine.kernel.pages.freePages;
  await inTask(machine, function* () {
    const all: GuestAddr[] = [];
    for (;;) {
      const p = yield* native(machine, '__kmalloc', 2 ** 20, GFP_KERNEL);
      if (p === 0) break;
      all.push(p);
    }
    expect(all.length).toBeGreaterThan(10);
    for (const p of all) yield* native(machine, 'kfree', p);
    expect(yield* native(machine, '__kmalloc', 2 ** 40, GFP_KERNEL)).toBe(0);
  });
  expect(before - machine.kernel.pages.freePages).toBeLessThan(64);
});

test('vfree and free_percpu of what is not theirs is told, and leaves the machine whole', async () => {
  const { machine, log } = await smallMachine();
  await inTask(machine, function* () {
    yield* native(machine, 'vfree', asAddr(machine.kernel.regions.vmalloc + 0x10_0000));
    yield* native(machine, 'free_percpu', 12345);
    expect(yield* native(machine, '__alloc_percpu', 8, 0)).toBe(0);
    const a = yield* native(machine, '__alloc_percpu', 8, 8);
    yield* native(machine, 'free_percpu', a);
    expect(yield* native(machine, '__alloc_percpu', 8, 8)).toBe(a);
  });
  expect(machine.reports.map((report) => report.kind)).toEqual(['bad-free', 'bad-free']);
  expect(log.join('\n')).toMatch(/Trying to vfree\(\) (nonexistent vm area|bad address)/);
});

test('a size beyond all memory faults instead of reaching over its end', async () => {
  const { machine, log } = await smallMachine();
  await inTask(machine, function* () {
    const p = yield* native(machine, '__kmalloc', 64, GFP_KERNEL);
    yield* native(machine, 'memset', p, 0xff, 2n ** 32n + 8n);
  });
  expect(log.join('\n')).toContain('RIP: 0010:__memset');
  expect(machine.panicked).toBe(false);
});

test('a freed object stays poisoned when it leaves the quarantine, until its place is given to another', async () => {
  const { machine } = await smallMachine({ quarantineBytes: 1024 });
  const { memory, slab } = machine.kernel;
  await inTask(machine, function* () {
    const p = yield* native(machine, '__kmalloc', 60, GFP_KERNEL);
    yield* native(machine, 'kfree', p);
    expect(memory.shadowAt(p)).toBe(POISON.slabFreeTrack);
    // sixteen more objects of 64 bytes push it out
    const others: GuestAddr[] = [];
    for (let i = 0; i < 17; i++) others.push(yield* native(machine, '__kmalloc', 60, GFP_KERNEL));
    for (const other of others) yield* native(machine, 'kfree', other);
    expect(memory.shadowAt(p)).toBe(POISON.slabFreed);
    expect(slab.find(p)?.freed).toBeDefined();
    yield* native(machine, 'kfree', p);
    let again = yield* native(machine, '__kmalloc', 12, GFP_KERNEL);
    while (again !== p) again = yield* native(machine, '__kmalloc', 33, GFP_KERNEL);
    expect(memory.faultReason(asAddr(p + 32), 1, 'read')).toBeUndefined();
    expect(memory.faultReason(asAddr(p + 33), 1, 'read')).toBe('poison');
  });
  expect(machine.reports.map((report) => report.kind !== 'unsupported' && report.bug)).toEqual([
    'double-free',
  ]);
});

test('every object of a slab has a redzone on both sides', async () => {
  const { machine } = await smallMachine();
  const { memory } = machine.kernel;
  await inTask(machine, function* () {
    for (const size of [8, 24, 96, 192, 256, 4096, 8192]) {
      for (let i = 0; i < 40; i++) {
        const p = yield* native(machine, '__kmalloc', size, GFP_KERNEL);
        expect(memory.faultReason(asAddr(p - 1), 1, 'read')).toBe('poison');
        expect(memory.faultReason(asAddr(p + size), 1, 'read')).toBe('poison');
        expect(memory.faultReason(p, size, 'write')).toBeUndefined();
      }
    }
  });
});

test('RAM that nobody has had can be touched, as on the real kernel, and that is told', async () => {
  const { machine } = await smallMachine();
  const { memory, regions } = machine.kernel;
  const wild = asAddr(regions.directMap + 30 * 2 ** 20);
  await inTask(machine, function* () {
    const p = yield* native(machine, '__kmalloc', 8, GFP_KERNEL);
    yield* native(machine, 'memset', wild, 0x5a, 4);
    memory.writeU32(p, memory.readU32(wild));
    expect(memory.readU32(p)).toBe(0x5a5a5a5a);
    // behind the end of RAM there is nothing
    yield* native(machine, 'memset', asAddr(regions.directMap + 32 * 2 ** 20), 0, 4);
  });
  expect(machine.reports).toMatchObject([
    { kind: 'poison', bug: 'wild-memory-access', access: 'write' },
    { kind: 'poison', bug: 'wild-memory-access', access: 'read' },
    { kind: 'fault', bug: 'wild-memory-access', access: 'write' },
  ]);
});

test('pages are poisoned before they are handed out and after they are freed', async () => {
  const { machine } = await smallMachine();
  const { memory, pages } = machine.kernel;
  await inTask(machine, function* () {
    const p = yield* native(machine, '__get_free_pages', GFP_KERNEL, 1);
    expect(memory.faultReason(p, 8192, 'write')).toBeUndefined();
    expect(pages.blockAt(asAddr(p + 5000))).toMatchObject({ start: p, order: 1, freed: undefined });
    yield* native(machine, 'free_pages', p, 1);
    expect(memory.faultReason(p, 1, 'read')).toBe('poison');
    expect(pages.blockAt(asAddr(p + 5000))?.freed).toBeDefined();
    yield* native(machine, 'free_pages', p, 1);
  });
  expect(machine.reports).toMatchObject([{ kind: 'bad-free', bug: 'double-free' }]);
});
