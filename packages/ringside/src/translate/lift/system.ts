import { OP } from '../../wasm/index.ts';
import { VECTOR } from '../cpu.ts';
import { slotOffset } from '../engine-layout.ts';
import { c32, c64, cBig, load, op } from '../ir.ts';
import type { LiftContext } from '../lift-context.ts';
import { FLAG, SLOT_FS_BASE, SLOT_GS_BASE, SLOT_RFLAGS } from '../register-file.ts';
import type { Lifter } from './lifter.ts';

function nothing(): void {}

/** Sets and clears bits of RFLAGS that are never lazy. */
function changeFlags(set: number, clear: number): Lifter {
  return (c) => {
    const flags = load(OP['i64.load'], c32(0), slotOffset(SLOT_RFLAGS));
    const value =
      set !== 0 ? op(OP['i64.or'], flags, c64(set)) : op(OP['i64.and'], flags, cBig(~BigInt(clear)));
    c.emit({ kind: 'store', op: 0x37, at: c32(0), offset: slotOffset(SLOT_RFLAGS), value });
  };
}

/** Ends the block: the host makes the instruction, see `system.ts` above. */
function byHost(c: LiftContext): void {
  c.exit('system');
  c.ended = true;
}

function raise(vector: number, after = false): Lifter {
  return (c, ins) => {
    c.exit(
      'exception',
      undefined,
      after ? { vector, rip: ins.addr + ins.length, giveBack: c.notMade - 1 } : { vector },
    );
    c.ended = true;
  };
}

function baseRegister(slot: number, write: boolean): Lifter {
  return (c) => {
    const o = c.operand(0);
    if (write) {
      const value = c.wide(c.readReg(o.reg, o.size));
      c.emit({ kind: 'store', op: 0x37, at: c32(0), offset: slotOffset(slot), value });
    } else {
      const value = load(o.size === 64 ? 'i64.load' : 'i32.load', c32(0), slotOffset(slot));
      c.writeReg(o.reg, o.size, value);
    }
  };
}

/** Instructions without effect on what guests can see here: one CPU runs at a time and caches are exact. */
const NOTHING =
  'nop pause endbr64 endbr32 lfence mfence sfence prefetch prefetchw clflush clflushopt clwb clac stac wbnoinvd'.split(
    ' ',
  );

const HOST =
  'hlt in out rdtsc rdtscp rdmsr wrmsr cpuid mov_from_cr mov_to_cr mov_from_dr mov_to_dr swapgs invlpg wbinvd invd clts rdpmc invpcid xgetbv xsetbv int syscall sysret iret rdrand rdseed rdpid smsw sgdt sidt lgdt lidt sldt str lldt ltr mov_to_seg pop_fs pop_gs lmsw ins outs verr verw lar lsl sysenter sysexit call_far jmp_far retf'.split(
    ' ',
  );

/** Of features that the CPU model does not report, or that are off after reset: extended states, virtualisation, keys. */
const INVALID =
  'xsave xrstor xsaveopt xsavec xsaves xrstors vmcall vmlaunch vmresume vmxoff vmrun vmmcall vmload vmsave stgi clgi invlpga monitor mwait rdpkru wrpkru rsm'.split(
    ' ',
  );

export const SYSTEM_LIFTERS: Readonly<Record<string, Lifter>> = {
  ...Object.fromEntries(NOTHING.map((name) => [name, nothing])),
  ...Object.fromEntries(HOST.map((name) => [name, byHost])),
  ...Object.fromEntries(INVALID.map((name) => [name, raise(VECTOR.UD)])),
  cli: changeFlags(0, FLAG.IF),
  sti: changeFlags(FLAG.IF, 0),
  cld: changeFlags(0, FLAG.DF),
  std: changeFlags(FLAG.DF, 0),
  ud0: raise(VECTOR.UD),
  ud1: raise(VECTOR.UD),
  ud2: raise(VECTOR.UD),
  int3: raise(VECTOR.BP, true),
  int1: raise(VECTOR.DB, true),
  rdfsbase: baseRegister(SLOT_FS_BASE, false),
  rdgsbase: baseRegister(SLOT_GS_BASE, false),
  wrfsbase: baseRegister(SLOT_FS_BASE, true),
  wrgsbase: baseRegister(SLOT_GS_BASE, true),
};
