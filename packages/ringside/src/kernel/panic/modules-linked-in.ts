import { KERN, type LogLine, line } from './log-line.ts';

/** A module as the list of linked modules names it. */
export interface LinkedModule {
  readonly name: string;
  /** Letters of its taints, `OE`. */
  readonly taints: string;
  readonly state?: 'coming' | 'going';
}

export interface LinkedModules {
  /** In the order of the kernel's list, the last loaded first. */
  readonly modules: readonly LinkedModule[];
  readonly lastUnloaded?: LinkedModule;
}

/** `print_modules`: `Modules linked in: a(OE+) b [last unloaded: c(OE)]`. Source: kernel/module/main.c, 6.1. */
export function printModules(linked: LinkedModules): LogLine {
  const names = linked.modules.map((module) => ` ${module.name}${moduleFlags(module)}`).join('');
  const last = linked.lastUnloaded;
  const unloaded = last === undefined ? '' : ` [last unloaded: ${last.name}${moduleFlags(last)}]`;
  return line(KERN.DEFAULT, `Modules linked in:${names}${unloaded}`);
}

/** `module_flags`: `(OE+)`, or nothing. */
export function moduleFlags(module: LinkedModule): string {
  const sign = module.state === 'going' ? '-' : module.state === 'coming' ? '+' : '';
  return module.taints === '' && sign === '' ? '' : `(${module.taints}${sign})`;
}
