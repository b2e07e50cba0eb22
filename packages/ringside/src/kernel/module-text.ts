import { asAddr, type GuestAddr, NULL } from '../bytes/index.ts';
import type { SymbolPlace } from './kallsyms/kallsyms.ts';
import type { Kernel } from './kernel.ts';
import type { Module } from './module/index.ts';
import type { LinkedModules } from './panic/index.ts';
import { ModuleOrc, type OrcRule } from './unwind/index.ts';

/** Something the translator knows by address. */
type Thunk =
  | { readonly kind: 'return' }
  | { readonly kind: 'indirect'; readonly register: number }
  | { readonly kind: 'nop' };

const REGISTERS = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
];

/** What the engine, the unwinder and the messages ask about the text of modules and of the image. */
export class KernelText {
  readonly #k: Kernel;
  readonly #orc = new WeakMap<Module, ModuleOrc>();
  #thunks: ReadonlyMap<GuestAddr, Thunk> | undefined;

  constructor(k: Kernel) {
    this.#k = k;
  }

  /** The function of a module that holds an address, by the module's symbols. */
  functionAt(addr: GuestAddr): { readonly start: GuestAddr; readonly size: number } | undefined {
    const place = this.symbolAt(addr);
    return place === undefined ? undefined : { start: place.start, size: place.size };
  }

  symbolAt(addr: GuestAddr): SymbolPlace | undefined {
    const found = this.#k.modules.lookup(addr);
    if (found === undefined) return undefined;
    const { name, offset, size, module } = found;
    return { name, start: asAddr(addr - offset), offset, size, module: module.name };
  }

  /** Functions of the image that only jump, return or do nothing: translated in place. */
  thunkAt(addr: GuestAddr): Thunk | undefined {
    this.#thunks ??= this.#findThunks();
    return this.#thunks.get(addr);
  }

  findOrc(ip: GuestAddr): OrcRule | undefined {
    const module = this.#k.modules.addressOf(ip);
    if (module === undefined) return undefined;
    let orc = this.#orc.get(module);
    if (orc === undefined) {
      const ips = module.sections.find((s) => s.name === '.orc_unwind_ip');
      const entries = module.sections.find((s) => s.name === '.orc_unwind');
      if (ips === undefined || entries === undefined) return undefined;
      orc = new ModuleOrc(this.#k.memory, this.#k.spec.types, {
        ip: ips.addr,
        orc: entries.addr,
        count: ips.size >>> 2,
      });
      this.#orc.set(module, orc);
    }
    return orc.find(ip);
  }

  /** The build ID of the module that an address is in, as hexadecimal digits: its `.note.gnu.build-id`. */
  buildIdAt(addr: GuestAddr): string | undefined {
    const { memory } = this.#k;
    const note = this.#k.modules.addressOf(addr)?.sections.find((s) => s.name === '.note.gnu.build-id');
    if (note === undefined) return undefined;
    // a note: name size, descriptor size, type, name padded to 4, descriptor
    const nameSize = memory.readU32(note.addr);
    const size = memory.readU32(asAddr(note.addr + 4));
    const bytes = memory.readBytes(asAddr(note.addr + 12 + Math.ceil(nameSize / 4) * 4), size);
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /** The `Modules linked in:` line. */
  linked(): LinkedModules {
    const modules = [...this.#k.modules.list()]
      .filter((module) => module.state !== 'unformed')
      .map((module) => {
        const taints = module.flags(false).replaceAll(/[()]/g, '');
        const base = { name: module.name, taints };
        return module.state === 'coming' || module.state === 'going'
          ? { ...base, state: module.state }
          : base;
      });
    const last = this.#k.modules.lastUnloaded;
    return last === undefined
      ? { modules }
      : { modules, lastUnloaded: { name: last.name, taints: last.taints.replaceAll(/[()]/g, '') } };
  }

  #findThunks(): ReadonlyMap<GuestAddr, Thunk> {
    const thunks = new Map<GuestAddr, Thunk>();
    const add = (name: string, thunk: Thunk): void => {
      const addr = this.#k.spec.exports.byName(name)?.address ?? this.#k.spec.symbols.lookup(name)?.address;
      if (addr !== undefined && addr !== NULL) thunks.set(addr, thunk);
    };
    add('__x86_return_thunk', { kind: 'return' });
    add('__fentry__', { kind: 'nop' });
    REGISTERS.forEach((name, register) => {
      if (name !== 'rsp') add(`__x86_indirect_thunk_${name}`, { kind: 'indirect', register });
    });
    return thunks;
  }
}
