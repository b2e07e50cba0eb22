import type { GuestAddr } from '../bytes/index.ts';
import type { Kernel } from './kernel.ts';
import { type FlagTables, type FormatServices, flagTables, type SymbolStyle } from './lib/index.ts';

/** What formatting (`printk`, `snprintf`) asks of this kernel. */
export function formatServices(k: Kernel): FormatServices {
  let flags: FlagTables | undefined;
  const warned = new Set<string>();
  return {
    memory: k.memory,
    types: k.spec.types,
    symbol: (addr, style) => symbolText(k, addr, style),
    pointerKey: () => k.pointerKey,
    noHashPointers: k.commandLine.has('no_hash_pointers'),
    flags: () => {
      flags ??= flagTables({
        findEnumValue: (name) => k.spec.types.findEnumValue(name),
        config: (name) => k.spec.config?.get(name),
      });
      return flags;
    },
    warnOnce: (site, text) => {
      if (warned.has(site)) return;
      warned.add(site);
      k.warnInKernel(site, text);
    },
  };
}

function symbolText(k: Kernel, addr: GuestAddr, style: SymbolStyle): string {
  if (!style.offset) return k.kallsyms.name(addr);
  const text = style.backtrace ? k.kallsyms.describeReturn(addr) : k.kallsyms.describe(addr);
  if (!style.buildId) return text;
  const id = k.text.buildIdAt(addr);
  return id === undefined ? text : text.replace(/\]$/, ` ${id}]`);
}
