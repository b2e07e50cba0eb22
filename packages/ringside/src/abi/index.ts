/**
 * Linux's constants that only exist as macros, by their own names, each table with its source. What the kernel's
 * types carry (enumerators, offsets, sizes) comes from the kernel image instead.
 *
 * `CONSTANT_GROUPS` lists every table; `scripts/abi-check.ts` compiles all names against a kernel's headers and
 * compares the values.
 */
export type { ConstantGroup } from './constant-group.ts';
export { CONSTANT_GROUPS } from './constant-groups.ts';
export { X86_BUG, X86_FEATURE } from './cpu-feature.ts';
export { ERRNO, type Errno, errnoName, strerror } from './errno.ts';
export { CHRDEV, FMODE, O, POLL, S } from './file.ts';
export { GFP } from './gfp.ts';
export { IRQF, SOFTIRQ, SOFTIRQ_NAMES, X86_VECTOR } from './interrupt.ts';
export { ADDRESS_SPACE, PAGE, POISON, PTE, SLAB, VM, VMALLOC } from './memory.ts';
export { KERNEL_PARAM, MODULE, MODULE_SECTION, NOTIFY } from './module.ts';
export { PREEMPT } from './preempt.ts';
export { CONSOLE_LOGLEVEL, KERN, LOGLEVEL } from './printk.ts';
export { SIGNAL } from './signal.ts';
export { TAINT, TAINT_FLAGS, type TaintFlag, type TaintName } from './taint.ts';
export { CLONE, PF, SCHED, TASK, TIF } from './task.ts';
export { TIME, TIMER } from './timer.ts';
export { BUGFLAG, EX_TYPE, SEGMENT, TRAP_TEXT, X86_CR, X86_EFLAGS, X86_PF, X86_TRAP } from './trap.ts';
export { QSPINLOCK, WQ_FLAG } from './wait.ts';
export { WORK } from './work.ts';
