import { hex, type LogLevel, type LogLine, line } from './log-line.ts';

/** The members of `struct pt_regs` under their own names, as unsigned 64-bit values. */
export interface PtRegs {
  readonly r15: bigint;
  readonly r14: bigint;
  readonly r13: bigint;
  readonly r12: bigint;
  readonly bp: bigint;
  readonly bx: bigint;
  readonly r11: bigint;
  readonly r10: bigint;
  readonly r9: bigint;
  readonly r8: bigint;
  readonly ax: bigint;
  readonly cx: bigint;
  readonly dx: bigint;
  readonly si: bigint;
  readonly di: bigint;
  /** -1 (all ones) where there was no system call; for an exception with an error code that code. */
  readonly orig_ax: bigint;
  readonly ip: bigint;
  readonly cs: number;
  readonly flags: bigint;
  readonly sp: bigint;
  readonly ss: number;
}

/** What `__show_regs` reads from the processor itself. */
export interface SystemRegisters {
  readonly fsBase: bigint;
  readonly fsIndex: number;
  readonly gsBase: bigint;
  readonly gsIndex: number;
  /** The other GS base, user mode's while the kernel runs. */
  readonly kernelGsBase: bigint;
  readonly ds: number;
  readonly es: number;
  readonly cr0: bigint;
  readonly cr2: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  /** DR0 to DR3, DR6, DR7; absent when they are as after reset. */
  readonly debug?: readonly [bigint, bigint, bigint, bigint, bigint, bigint];
  /** Absent when the processor has no protection keys. */
  readonly pkru?: number;
}

/** Bytes of code shown before RIP, and in all. Source: arch/x86/kernel/dumpstack.c, 6.1. */
export const CODE_PROLOGUE = 42;
export const CODE_SIZE = 64;

/** Addresses from here on may be read as kernel code; below, the kernel does not even try. */
const KERNEL_HALF = 0xffff_8000_0000_0000n;

/**
 * CR2 as the dump shows it. Where the code around RIP cannot be read, the attempt has just left its own address
 * there.
 */
export function shownCr2({ regs, code, codeFault, system }: RegisterDump): bigint {
  if (code !== undefined) return system.cr2;
  const start = BigInt.asUintN(64, regs.ip - BigInt(CODE_PROLOGUE));
  return codeFault ?? (start >= KERNEL_HALF ? start : system.cr2);
}

/** `RIP: 0010:start+0x5/0x10 [m]` and the code around it. */
function showIp({ regs, symbol, code }: RegisterDump, level: LogLevel): LogLine[] {
  return [line(level, `RIP: ${hex(regs.cs, 4)}:${symbol}`), line(level, codeText(regs.ip, code))];
}

function codeText(ip: bigint, code: Uint8Array | undefined): string {
  if (code === undefined) {
    return `Code: Unable to access opcode bytes at 0x${hex(ip - BigInt(CODE_PROLOGUE))}.`;
  }
  const bytes = Array.from(code, (byte, index) => {
    const text = hex(byte, 2);
    return index === CODE_PROLOGUE ? `<${text}>` : text;
  });
  return `Code: ${bytes.join(' ')}`;
}

/** How much of the registers is shown. */
export type ShowRegsMode = 'short' | 'user' | 'all';

/** What `__show_regs` prints of a register set. */
export interface RegisterDump {
  readonly regs: PtRegs;
  /** RIP in `%pS` form. */
  readonly symbol: string;
  /** The `CODE_SIZE` bytes around RIP; undefined when not all of them can be read. */
  readonly code: Uint8Array | undefined;
  /** The first byte of the code that cannot be read, when that is not the first of all. */
  readonly codeFault?: bigint;
  readonly system: SystemRegisters;
}

/** `__show_regs`. Source: arch/x86/kernel/process_64.c, 6.1. */
export function showRegs(dump: RegisterDump, mode: ShowRegsMode, level: LogLevel): LogLine[] {
  const { regs, system } = dump;
  const origAx = BigInt.asIntN(64, regs.orig_ax) === -1n ? '' : ` ORIG_RAX: ${hex(regs.orig_ax, 16)}`;
  const three = (...pairs: readonly (readonly [string, bigint])[]): LogLine =>
    line(level, pairs.map(([name, value]) => `${name}: ${hex(value, 16)}`).join(' '));
  const lines = [
    ...showIp(dump, level),
    line(level, `RSP: ${hex(regs.ss, 4)}:${hex(regs.sp, 16)} EFLAGS: ${hex(regs.flags, 8)}${origAx}`),
    three(['RAX', regs.ax], ['RBX', regs.bx], ['RCX', regs.cx]),
    three(['RDX', regs.dx], ['RSI', regs.si], ['RDI', regs.di]),
    three(['RBP', regs.bp], ['R08', regs.r8], ['R09', regs.r9]),
    three(['R10', regs.r10], ['R11', regs.r11], ['R12', regs.r12]),
    three(['R13', regs.r13], ['R14', regs.r14], ['R15', regs.r15]),
  ];
  if (mode === 'short') return lines;
  if (mode === 'user') {
    lines.push(line(level, `FS:  ${hex(system.fsBase, 16)} GS:  ${hex(system.kernelGsBase, 16)}`));
    return lines;
  }
  const fs = `FS:  ${hex(system.fsBase, 16)}(${hex(system.fsIndex, 4)})`;
  const gs = `GS:${hex(system.gsBase, 16)}(${hex(system.gsIndex, 4)}) knlGS:${hex(system.kernelGsBase, 16)}`;
  const segments = `CS:  ${hex(regs.cs, 4)} DS: ${hex(system.ds, 4)} ES: ${hex(system.es, 4)}`;
  lines.push(
    line(level, `${fs} ${gs}`),
    line(level, `${segments} CR0: ${hex(system.cr0, 16)}`),
    three(['CR2', shownCr2(dump)], ['CR3', system.cr3], ['CR4', system.cr4]),
  );
  if (system.debug !== undefined) {
    const [dr0, dr1, dr2, dr3, dr6, dr7] = system.debug;
    lines.push(
      three(['DR0', dr0], ['DR1', dr1], ['DR2', dr2]),
      three(['DR3', dr3], ['DR6', dr6], ['DR7', dr7]),
    );
  }
  if (system.pkru !== undefined) lines.push(line(level, `PKRU: ${hex(system.pkru, 8)}`));
  return lines;
}
