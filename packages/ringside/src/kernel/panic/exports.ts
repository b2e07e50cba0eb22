import { type ExportTable, fn } from '../exports.ts';
import { panic, showStack } from '../traps/oops.ts';
import { CUT_HERE } from './oops.ts';

/** kernel/panic.c, lib/dump_stack.c */
export const panicExports: ExportTable = {
  dump_stack: fn('void dump_stack(void)', (k) => showStack(k)),
  dump_stack_lvl: fn('void dump_stack_lvl(const char *log_lvl)', (k) => showStack(k)),
  __warn_printk: fn('void __warn_printk(const char *fmt, ...)', (k) => {
    k.log(4, CUT_HERE);
    k.printk.emit(k.formatArguments(0, 1));
  }),
  panic: fn('void panic(const char *fmt, ...)', (k) => panic(k, k.formatArguments(0, 1).replace(/\n$/, ''))),
  __stack_chk_fail: fn('void __stack_chk_fail(void)', (k) => {
    const caller = k.kallsyms.describeReturn(k.memory.readPtr(k.cpu.regs.rsp));
    panic(k, `stack-protector: Kernel stack is corrupted in: ${caller}`);
  }),
  add_taint: fn('void add_taint(unsigned int flag, enum lockdep_ok lockdep_ok)', (k) =>
    k.addTaint(k.args.u32(0)),
  ),
  test_taint: fn('int test_taint(unsigned int flag)', (k) => (k.tainted >>> k.args.u32(0)) & 1),
  get_taint: fn('unsigned long get_taint(void)', (k) => k.tainted),
};
