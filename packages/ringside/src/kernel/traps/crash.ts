import { asAddr, type GuestAddr } from '../../bytes/index.ts';
import type { Kernel } from '../kernel.ts';
import type { SlabObject } from '../mm/slab.ts';
import type { Fault, PtRegs } from '../panic/index.ts';

/** A place in code, kept so that it can be explained when the code is gone. */
export interface CodePlace {
  readonly addr: GuestAddr;
  /** `function+0xoffset/0xsize [module]`, or the address. */
  readonly symbol: string;
  /** The module whose file the code comes from. */
  readonly module:
    | { readonly name: string; readonly file: Uint8Array; readonly section: string; readonly offset: number }
    | undefined;
}

/** What is, or was, at an address that went wrong. */
export type AddressOwner =
  | { readonly kind: 'object'; readonly object: SlabObject }
  /** Memory of a module that has been unloaded, or of init code that has been freed. */
  | {
      readonly kind: 'former-module';
      readonly module: string;
      readonly what: 'core' | 'init';
      readonly symbol: string | undefined;
    }
  | {
      readonly kind: 'module';
      readonly module: string;
      readonly section: string | undefined;
      readonly symbol: string | undefined;
    }
  | { readonly kind: 'image'; readonly symbol: string };

/** What the code was run for, where the functions on the stack do not tell. */
export type Running =
  | { readonly kind: 'init' | 'exit'; readonly module: string }
  | { readonly kind: 'work'; readonly func: CodePlace }
  | { readonly kind: 'interrupt' };

/** A variable of a module. */
export interface Variable {
  readonly module: string;
  readonly symbol: string;
}

/** A fault, warning or panic of the guest, with what is needed to explain it. */
export interface Crash {
  readonly kind: 'oops' | 'warning' | 'panic';
  readonly fault: Fault | undefined;
  /** Where it happened. */
  readonly place: CodePlace;
  /** The address that was accessed, for faults of memory. */
  readonly address: GuestAddr | undefined;
  readonly access: 'read' | 'write' | 'execute' | undefined;
  readonly owner: AddressOwner | undefined;
  /** Variables of loaded modules that hold `address`, when what was there is gone. */
  readonly holders: readonly Variable[];
  readonly running: Running | undefined;
  readonly comm: string;
  readonly pid: number;
  /** The reason that a panic gives. */
  readonly message?: string;
  /** Callers, innermost first, without the place itself. */
  readonly callers: readonly CodePlace[];
  readonly registers: PtRegs | undefined;
}

/** Where an instruction is. For a return address the call before it counts. */
export function codePlace(k: Kernel, addr: GuestAddr, isReturn: boolean): CodePlace {
  const at = isReturn ? asAddr(addr - 1) : addr;
  const symbol = isReturn ? k.kallsyms.describeReturn(addr) : k.kallsyms.describe(addr);
  const module = k.modules.addressOf(at);
  const section = module?.sections.find((s) => at >= s.addr && at < s.addr + s.size);
  return {
    addr,
    symbol,
    module:
      module === undefined || section === undefined
        ? undefined
        : { name: module.name, file: module.file, section: section.name, offset: at - section.addr },
  };
}

/** Whose memory an address is, or was. */
export function ownerOf(k: Kernel, addr: GuestAddr): AddressOwner | undefined {
  const object = k.slab.find(addr);
  if (object !== undefined) return { kind: 'object', object };
  const module = k.modules.addressOf(addr);
  if (module !== undefined) {
    const section = module.sections.find((s) => addr >= s.addr && addr < s.addr + s.size);
    return {
      kind: 'module',
      module: module.name,
      section: section?.name,
      symbol: k.text.symbolAt(addr)?.name,
    };
  }
  const former = k.modules.formerAt(addr);
  if (former !== undefined) {
    return {
      kind: 'former-module',
      module: former.moduleName,
      what: former.what,
      symbol: former.symbolAt(addr)?.name,
    };
  }
  const place = k.kallsyms.at(addr);
  return place === undefined ? undefined : { kind: 'image', symbol: place.name };
}

/** What is going on in the current task. */
export function runningNow(k: Kernel): Running | undefined {
  const task = k.sched.current;
  if (k.sched.context !== 'task') return { kind: 'interrupt' };
  if (task.work !== undefined) return { kind: 'work', func: codePlace(k, task.work.func, false) };
  if (!task.user) return undefined;
  const changing = [...k.modules.list()].filter(({ state }) => state === 'coming' || state === 'going');
  const [module] = changing;
  if (module === undefined || changing.length > 1) return undefined;
  return { kind: module.state === 'coming' ? 'init' : 'exit', module: module.name };
}

/** Who still has a pointer to something that is gone. */
export function holdersOf(k: Kernel, addr: GuestAddr): Variable[] {
  const found: Variable[] = [];
  for (const module of k.modules.list()) {
    for (const { name, addr: start, size } of module.sections) {
      if (!/^\.(?:data|bss)\b/.test(name)) continue;
      for (let at = asAddr(Math.ceil(start / 8) * 8); at + 8 <= start + size; at = asAddr(at + 8)) {
        if (k.memory.view.getBigInt64(at >>> 0, true) !== BigInt(addr)) continue;
        const symbol = k.text.symbolAt(at)?.name;
        if (symbol !== undefined) found.push({ module: module.name, symbol });
      }
    }
  }
  return found;
}
