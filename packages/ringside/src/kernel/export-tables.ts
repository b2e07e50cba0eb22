import type { ExportTable } from './exports.ts';
import { formatExports } from './lib/format-exports.ts';
import { listDebugExports } from './lib/list-debug-exports.ts';
import { stringExports } from './lib/string-exports.ts';
import { textExports } from './lib/text-exports.ts';
import { mutexExports, spinlockExports } from './locking/exports.ts';
import { mmExports } from './mm/exports.ts';
import { moduleExportTable } from './module/index.ts';
import { panicExports } from './panic/exports.ts';
import { paramExports } from './params/exports.ts';
import { printkExports } from './printk/exports.ts';
import { schedExports } from './sched/exports.ts';
import { completionExports, waitExports } from './sched/wait-exports.ts';
import { timeExports } from './time/exports.ts';
import { workqueueExports } from './workqueue/exports.ts';

/** Everything that modules can import from us, by family: the name is what the compatibility page heads it with. */
export const EXPORT_FAMILIES: Readonly<Record<string, ExportTable>> = {
  'kernel/sched': schedExports,
  'kernel/sched: wait queues': waitExports,
  'kernel/sched: completions': completionExports,
  'kernel/locking: spinlocks': spinlockExports,
  'kernel/locking: mutexes': mutexExports,
  'kernel/time': timeExports,
  'kernel/workqueue': workqueueExports,
  mm: mmExports,
  'kernel/printk': printkExports,
  'kernel/panic': panicExports,
  'kernel/params': paramExports,
  'kernel/module': moduleExportTable,
  'lib: formatting and numbers': formatExports,
  'lib: strings': stringExports,
  'lib: hexadecimal, sizes and escapes': textExports,
  'lib: lists': listDebugExports,
};

export const EXPORT_TABLES: readonly ExportTable[] = Object.values(EXPORT_FAMILIES);
