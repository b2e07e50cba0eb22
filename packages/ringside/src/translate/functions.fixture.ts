import { provable, Random, vectorRegisters } from '../../../../scripts/silicon/cases.ts';
import { type Image, NATIVE, type Run, type RunOutcome } from '../../../../scripts/silicon/program-runs.ts';
import { makePrograms, type ProgramText } from '../../../../scripts/silicon/programs.ts';
import { asAddr } from '../bytes/index.ts';
import { MODULES, PROT_RO, PROT_RW } from '../memory/index.ts';
import { decode, isInstruction, printInstruction } from '../x86/index.ts';
import { type BareMachine, type BareMachineOptions, bareMachine } from './bare-machine.ts';
import type { Stop } from './cpu.ts';
import { FPU_BYTES, FPU_ST, FPU_XMM, SLOT_FS_BASE, SLOT_GS_BASE, SLOT_RFLAGS } from './register-file.ts';

/** Runs of each function, and of each that is to become hot. */
const RUNS = 4;
const HOT_RUNS = 3000;
const IMAGES = 32;

const HIGHER = 0xffff_ffff_0000_0000n;
const ARITHMETIC = 0x8d5;
const DIRECTION = 0x400;

const AREAS = [
  [NATIVE.text, 0x100_0000],
  [NATIVE.data - 0x1000, 0x6000],
  [NATIVE.stack - 0x1000, NATIVE.stackBytes + 0x2000],
] as const;

function isNativeAddress(value: bigint): boolean {
  return AREAS.some(([start, size]) => value >= BigInt(start) && value < BigInt(start + size));
}

/** The processor's value, and the guest's if it is an address. */
function same(guest: bigint, native: bigint): boolean {
  return guest === native || (isNativeAddress(native) && guest === native + HIGHER);
}

/** Where base registers point: mostly good memory, and all the ways in which it can be bad. */
function pointer(random: Random): bigint {
  const { data, readOnly } = NATIVE;
  switch (random.next(18)) {
    case 0:
      return BigInt(data + 0x2000 - random.next(64));
    case 1:
      return BigInt(data + random.next(64));
    case 2:
      return BigInt(readOnly + 256 + random.next(64));
    case 3:
      return BigInt(data + 0x2400 + random.next(64));
    case 4:
      return BigInt(256 + random.next(3800));
    case 5:
      return 0xdead_0000_0000_0100n + BigInt(random.next(8));
    case 6:
      return BigInt(data + 0x1000 - 8 + random.next(16));
    case 7:
    case 8:
      return BigInt(data + 1024 + random.next(1024));
    default:
      return BigInt(data + 1024 + 16 * random.next(128));
  }
}

function makeRun(entry: number, image: number, random: Random): Run {
  const regs = BigUint64Array.from({ length: 16 }, () => random.value());
  for (const r of [5, 6, 7]) regs[r] = pointer(random);
  regs[9] = BigInt(random.next(8));
  for (const r of [12, 13, 14, 15]) regs[r] = BigInt(random.next(6));
  regs[4] = BigInt(
    random.next(12) === 0
      ? NATIVE.stack + 8 * random.next(24)
      : NATIVE.stack + NATIVE.stackBytes - 512 - 8 * random.next(2),
  );
  return {
    entry,
    image,
    fpu: random.next(IMAGES),
    count: false,
    regs,
    flags: 0x202 | (random.next(2 ** 16) & ARITHMETIC) | (random.next(8) === 0 ? DIRECTION : 0),
    fs: BigInt(NATIVE.data + 1500),
    gs: random.next(10) === 0 ? pointer(random) : BigInt(NATIVE.data + 2000),
  };
}

/** Functions, and what to run them on. */
export interface Work {
  readonly text: ProgramText;
  readonly images: readonly Image[];
  readonly runs: readonly (Run & { readonly group: number })[];
}

/** Makes `groups` groups of about ten functions. */
export function makeWork(seed: number, groups: number): Work {
  const random = new Random(seed);
  const hot = Math.ceil(groups / 25);
  const text = makePrograms(provable(new Set()), random, groups, NATIVE.data - NATIVE.text);
  const images = Array.from({ length: IMAGES }, () => {
    const words = BigUint64Array.from({ length: NATIVE.dataBytes / 8 }, () => random.value());
    return { data: new Uint8Array(words.buffer), fpu: vectorRegisters(random) };
  });
  const runs: (Run & { readonly group: number })[] = [];
  for (const [i, { start, touchesFlags, group }] of text.programs.entries()) {
    for (let k = 0; k < RUNS; k++)
      runs.push({ ...makeRun(start, i % IMAGES, random), group, count: k === 0 && !touchesFlags });
  }
  const spread = Math.floor(text.programs.length / hot);
  for (let i = 0; i < hot; i++) {
    const { start, group } = text.programs[i * spread]!;
    for (let k = 0; k < HOT_RUNS; k++) runs.push({ ...makeRun(start, i % IMAGES, random), group });
  }
  return { text, images, runs };
}

export type Options = Pick<BareMachineOptions, 'checked' | 'stepped' | 'hotAfter'>;

/** Of some functions the machine does not know where they begin and end, as of programs without symbols. */
export function isUnknown(group: number): boolean {
  return group % 4 === 3;
}

/** The machine that has the text, data and stack where the harness has them, 2^32 higher up. */
export function machineFor({ text }: Work, options: Options): BareMachine {
  const base = MODULES.start as number;
  const { programs } = text;
  const machine = bareMachine(text.assembler.finish(BigInt.asUintN(64, BigInt(base))), {
    ...options,
    functionAt: (addr) => {
      const offset = addr - base;
      if (offset < 16) return { start: asAddr(base), size: 16 };
      let low = 0;
      let high = programs.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (programs[middle]!.start <= offset) low = middle;
        else high = middle - 1;
      }
      const found = programs[low]!;
      if (offset < found.start || offset >= found.end || isUnknown(found.group)) return undefined;
      return { start: asAddr(base + found.start), size: found.end - found.start };
    },
  });
  const { memory } = machine;
  const up = (at: number) => asAddr(at - 2 ** 32);
  memory.map(up(NATIVE.data), NATIVE.dataBytes, PROT_RW);
  memory.map(up(NATIVE.readOnly), 0x1000, PROT_RO);
  memory.map(up(NATIVE.stack), NATIVE.stackBytes, PROT_RW);
  return machine;
}

/** Brings a run's beginning into the machine. */
export function load(machine: BareMachine, { images }: Work, run: Run): void {
  const { memory } = machine;
  const { regs } = machine.cpu;
  const { data, fpu } = { data: images[run.image]!.data, fpu: images[run.fpu]!.fpu };
  memory.raw.set(data, NATIVE.data);
  memory.raw.fill(0, NATIVE.stack, NATIVE.stack + NATIVE.stackBytes);
  const up = (value: bigint): bigint => (isNativeAddress(value) ? value + HIGHER : value);
  memory.view.setBigUint64(Number(run.regs[4]!), up(BigInt(NATIVE.text)), true);
  for (let r = 0; r < 16; r++) regs.setU64(r, up(run.regs[r]!));
  new Uint8Array(regs.fpu.buffer, regs.fpu.byteOffset, FPU_BYTES).set(fpu);
  regs.setU64(SLOT_RFLAGS, BigInt(run.flags));
  regs.setU64(SLOT_FS_BASE, up(run.fs));
  regs.setU64(SLOT_GS_BASE, up(run.gs));
  regs.rip = asAddr(MODULES.start + run.entry);
}

/** Runs to the end. Each slice may be of another size; where the slices ended goes to `stops`. */
export function finish(machine: BareMachine, slice: () => number, stops?: string[]): Stop {
  const { cpu } = machine;
  const before = cpu.retired;
  for (let i = 0; i < 100_000; i++) {
    const stop = cpu.run(slice());
    if (stop.kind !== 'fuel') return stop;
    stops?.push(`${(cpu.regs.rip - MODULES.start).toString(16)} after ${cpu.retired - before}`);
  }
  throw new Error('does not end');
}

/** What the engine has done otherwise than the processor. */
export function differences(machine: BareMachine, work: Work, run: Run, o: RunOutcome, stop: Stop): string[] {
  const { regs } = machine.cpu;
  const { raw } = machine.memory;
  const wrong: string[] = [];
  if (stop.kind !== 'exception') {
    return [stop.kind === 'unsupported' ? stop.error.message : `stop ${stop.kind}, processor ${o.trap}`];
  }
  if (stop.vector !== o.trap) wrong.push(`vector ${stop.vector}, processor ${o.trap}`);
  // An access by user code has bit 2 of #PF's error code set.
  const error = o.trap === 14 ? o.error & ~4 : o.error;
  if (stop.errorCode !== error) wrong.push(`error code ${stop.errorCode}, processor ${error}`);
  if (o.trap === 14 && !same(BigInt.asUintN(64, BigInt(stop.address ?? -1)), o.address))
    wrong.push(`address ${stop.address?.toString(16)}, processor ${o.address.toString(16)}`);
  const rip = BigInt.asUintN(64, BigInt(regs.rip));
  if (!same(rip, o.rip)) wrong.push(`rip ${rip.toString(16)}, processor ${o.rip.toString(16)}`);
  for (let r = 0; r < 16; r++) {
    if (!same(regs.u64(r), o.regs[r]!))
      wrong.push(`register ${r}: ${regs.u64(r).toString(16)}, processor ${o.regs[r]!.toString(16)}`);
  }
  const unknown = work.text.undefinedAt.get(Number(o.rip) - NATIVE.text) ?? ARITHMETIC;
  const atEnd = o.trap === 3 && o.rip === BigInt(NATIVE.text + 1);
  const mask = (ARITHMETIC & ~(atEnd ? 0x10 : unknown)) | DIRECTION;
  const flags = Number(regs.u64(SLOT_RFLAGS));
  if ((flags & mask) !== (o.flags & mask))
    wrong.push(
      `flags ${(flags & mask).toString(16)}, processor ${(o.flags & mask).toString(16)} of ${mask.toString(16)}`,
    );
  const fpu = new BigUint64Array(regs.fpu.buffer, regs.fpu.byteOffset, FPU_BYTES / 8);
  const theirs = new DataView(o.fpu.buffer, o.fpu.byteOffset, FPU_BYTES);
  for (let i = FPU_ST / 8; i < FPU_BYTES / 8; i++) {
    if (i < FPU_XMM / 8 && (i & 1) !== 0) continue;
    const value = theirs.getBigUint64(8 * i, true);
    if (fpu[i] !== value)
      wrong.push(`vector word ${i}: ${fpu[i]!.toString(16)}, processor ${value.toString(16)}`);
  }
  const view = machine.memory.view;
  for (const [at, value] of o.changes) {
    const ours = view.getBigUint64(at, true);
    if (!same(ours, value))
      wrong.push(`memory ${at.toString(16)}: ${ours.toString(16)}, processor ${value.toString(16)}`);
    // What is as the processor has it is made what it was, so that the rest can be compared as a whole.
    const was =
      at < NATIVE.stack
        ? new DataView(work.images[run.image]!.data.buffer).getBigUint64(at - NATIVE.data, true)
        : 0n;
    view.setBigUint64(at, was, true);
  }
  const data = raw.subarray(NATIVE.data, NATIVE.data + NATIVE.dataBytes);
  const stack = raw.subarray(NATIVE.stack, NATIVE.stack + NATIVE.stackBytes);
  if (Buffer.compare(data, work.images[run.image]!.data) !== 0)
    wrong.push('data changed that should not have');
  if (Buffer.compare(stack, ZEROS) !== 0) wrong.push('stack changed that should not have');
  return wrong;
}

const ZEROS = new Uint8Array(NATIVE.stackBytes);

export function instructionAt({ memory }: BareMachine, o: RunOutcome): string {
  const at = Number(o.rip);
  const ins = decode(memory.raw, at, at - 2 ** 32);
  return `+${(at - NATIVE.text).toString(16)} ${isInstruction(ins) ? printInstruction(ins) : ins.reason}`;
}
