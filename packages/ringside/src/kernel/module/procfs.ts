import { hex64, NULL } from '../../bytes/index.ts';
import { moduleSymbols } from './kallsyms.ts';
import type { Module } from './module.ts';
import type { Modules } from './modules.ts';
import { moduleRefcount, usersOf } from './refcount.ts';
import { findInModule } from './symbols.ts';

const STATE = { live: 'Live', coming: 'Loading', going: 'Unloading', unformed: '' } as const;

/** One line of `/proc/modules`. Source: kernel/module/procfs.c. */
function moduleLine(modules: Modules, module: Module): string {
  const size = module.layout('init').size + module.layout('core').size;
  let users = [...usersOf(modules, module)].map((user) => `${user.name},`).join('');
  if (module.init !== NULL && module.exit === NULL) users += '[permanent],';
  const taints = module.taints ? ` ${module.flags(true)}` : '';
  return (
    `${module.name} ${size} ${moduleRefcount(module)} ${users || '-'} ${STATE[module.state]} ` +
    `0x${hex64(module.layout('core').base)}${taints}\n`
  );
}

/** The content of `/proc/modules`, as root reads it. */
export function procModules(modules: Modules): string {
  let text = '';
  for (const module of modules.list()) {
    if (module.state !== 'unformed') text += moduleLine(modules, module);
  }
  return text;
}

/** The modules' part of `/proc/kallsyms`, as root reads it. */
export function* procKallsyms(modules: Modules): Generator<string> {
  const { memory } = modules.host;
  for (const module of modules.list()) {
    if (module.state === 'unformed') continue;
    const { name } = module;
    for (const symbol of moduleSymbols(memory, module)) {
      // unnamed symbols are left out; exported ones have an upper-case letter
      if (symbol.name === '') continue;
      const isOwn = isExportedHere(modules, module, symbol.name, symbol.address);
      const type = isOwn ? symbol.type.toUpperCase() : symbol.type.toLowerCase();
      yield `${hex64(symbol.address)} ${type} ${symbol.name}\t[${name}]\n`;
    }
  }
}

/** `is_exported`: looks at the table without GPL-only symbols alone. */
function isExportedHere(modules: Modules, module: Module, name: string, address: number): boolean {
  const found = findInModule(modules, module, name, false);
  return found !== undefined && found.address === address;
}

/** `print_modules`: the line of an oops, from `Modules linked in:` on, without its newline. */
export function linkedIn(modules: Modules): string {
  let text = 'Modules linked in:';
  for (const module of modules.list()) {
    if (module.state !== 'unformed') text += ` ${module.name}${module.flags(true)}`;
  }
  const last = modules.lastUnloaded;
  return last === undefined ? text : `${text} [last unloaded: ${last.name}${last.taints}]`;
}
