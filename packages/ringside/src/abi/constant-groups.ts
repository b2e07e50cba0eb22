import type { ConstantGroup } from './constant-group.ts';
import { X86_BUG, X86_FEATURE } from './cpu-feature.ts';
import { ERRNO } from './errno.ts';
import { CHRDEV, FMODE, O, POLL, S } from './file.ts';
import { GFP } from './gfp.ts';
import { IRQF, SOFTIRQ, X86_VECTOR } from './interrupt.ts';
import { ADDRESS_SPACE, PAGE, POISON, PTE, SLAB, VM, VMALLOC } from './memory.ts';
import { KERNEL_PARAM, MODULE, NOTIFY } from './module.ts';
import { PREEMPT } from './preempt.ts';
import { CONSOLE_LOGLEVEL, LOGLEVEL } from './printk.ts';
import { SIGNAL } from './signal.ts';
import { TAINT } from './taint.ts';
import { CLONE, PF, SCHED, TASK, TIF } from './task.ts';
import { TIME, TIMER } from './timer.ts';
import { BUGFLAG, EX_TYPE, SEGMENT, X86_CR, X86_EFLAGS, X86_PF, X86_TRAP } from './trap.ts';
import { QSPINLOCK, WQ_FLAG } from './wait.ts';
import { WORK } from './work.ts';

/** Every table of constants with the header that defines its names, for the check against a kernel's headers. */
export const CONSTANT_GROUPS: readonly ConstantGroup[] = [
  { name: 'ERRNO', header: 'linux/errno.h', values: ERRNO },
  { name: 'GFP', header: 'linux/gfp.h', values: GFP },
  { name: 'TASK', header: 'linux/sched.h', values: TASK },
  { name: 'PF', header: 'linux/sched.h', values: PF },
  { name: 'TIF', header: 'linux/sched.h', values: TIF },
  { name: 'CLONE', header: 'linux/sched.h', values: CLONE },
  { name: 'SCHED', header: 'linux/sched.h', values: SCHED },
  { name: 'PREEMPT', header: 'linux/preempt.h', values: PREEMPT },
  { name: 'TAINT', header: 'linux/panic.h', values: TAINT },
  { name: 'LOGLEVEL', header: 'linux/kern_levels.h', values: LOGLEVEL },
  { name: 'CONSOLE_LOGLEVEL', header: 'linux/printk.h', values: CONSOLE_LOGLEVEL },
  { name: 'PAGE', header: 'linux/mm.h', values: PAGE },
  { name: 'ADDRESS_SPACE', header: 'linux/mm.h', values: ADDRESS_SPACE },
  { name: 'VM', header: 'linux/mm.h', values: VM },
  { name: 'VMALLOC', header: 'linux/vmalloc.h', values: VMALLOC },
  { name: 'SLAB', header: 'linux/slab.h', values: SLAB },
  { name: 'POISON', header: 'linux/poison.h', values: POISON },
  { name: 'PTE', header: 'linux/mm.h', values: PTE },
  { name: 'WORK', header: 'linux/workqueue.h', values: WORK },
  { name: 'TIMER', header: 'linux/timer.h', values: TIMER },
  { name: 'TIME', header: 'linux/jiffies.h', values: TIME },
  { name: 'SOFTIRQ', header: 'linux/interrupt.h', values: SOFTIRQ },
  { name: 'IRQF', header: 'linux/interrupt.h', values: IRQF },
  { name: 'X86_VECTOR', header: 'asm/irq_vectors.h', values: X86_VECTOR },
  { name: 'X86_TRAP', header: 'asm/trapnr.h', values: X86_TRAP },
  { name: 'X86_PF', header: 'asm/trap_pf.h', values: X86_PF },
  { name: 'X86_EFLAGS', header: 'asm/processor-flags.h', values: X86_EFLAGS },
  { name: 'X86_CR', header: 'asm/processor-flags.h', values: X86_CR },
  { name: 'SEGMENT', header: 'asm/segment.h', values: SEGMENT },
  { name: 'BUGFLAG', header: 'linux/bug.h', values: BUGFLAG },
  { name: 'EX_TYPE', header: 'asm/extable_fixup_types.h', values: EX_TYPE },
  { name: 'X86_FEATURE', header: 'asm/cpufeatures.h', values: X86_FEATURE },
  { name: 'X86_BUG', header: 'asm/cpufeatures.h', values: X86_BUG },
  { name: 'WQ_FLAG', header: 'linux/wait.h', values: WQ_FLAG },
  { name: 'QSPINLOCK', header: 'linux/spinlock.h', values: QSPINLOCK },
  { name: 'O', header: 'linux/fcntl.h', values: O },
  { name: 'FMODE', header: 'linux/fs.h', values: FMODE },
  { name: 'S', header: 'linux/stat.h', values: S },
  { name: 'POLL', header: 'linux/poll.h', values: POLL },
  { name: 'CHRDEV', header: 'linux/fs.h', values: CHRDEV },
  { name: 'SIGNAL', header: 'linux/signal.h', values: SIGNAL },
  { name: 'MODULE', header: 'linux/module.h', values: MODULE },
  { name: 'KERNEL_PARAM', header: 'linux/moduleparam.h', values: KERNEL_PARAM },
  { name: 'NOTIFY', header: 'linux/notifier.h', values: NOTIFY },
];
