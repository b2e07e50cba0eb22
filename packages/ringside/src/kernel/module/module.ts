import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import type { GuestMemory } from '../../memory/index.ts';
import type { ModuleMember, ModuleStructs } from './module-struct.ts';
import { taintLetters } from './taint.ts';

export type ModuleState = 'live' | 'coming' | 'going' | 'unformed';

/** A section that was given a place in the module's memory. */
export interface LoadedSection {
  readonly name: string;
  readonly addr: GuestAddr;
  readonly size: number;
  readonly init: boolean;
}

/** One of the module's two memory areas; sizes in bytes, each part beginning where the one before ends. */
export interface ModuleLayout {
  readonly base: GuestAddr;
  readonly size: number;
  readonly textSize: number;
  readonly roSize: number;
  readonly roAfterInitSize: number;
}

/**
 * A loaded module: a view of its `struct module` in guest memory, which lies in the module's own
 * `.gnu.linkonce.this_module` section. Everything that guest code can see is read from and written to that
 * struct; only what no module can see is kept here.
 */
export class Module {
  readonly addr: GuestAddr;
  readonly structs: ModuleStructs;
  readonly #memory: GuestMemory;
  /** Sections with their places, in file order, as `/sys/module/NAME/sections` lists them. */
  sections: readonly LoadedSection[] = [];
  /** `.modinfo` values that outlive loading. */
  version: string | undefined;
  srcversion: string | undefined;
  /** The file's bytes without the signature, for debug information. */
  file: Uint8Array;
  /** Exported names, in the order of the tables; filled when they are first asked for. */
  exportIndex: ReadonlyMap<string, { readonly gplOnly: boolean; readonly index: number }> | undefined;
  /** Whether the module is on the list (`list_del_rcu` in free_module comes late). */
  linked = false;
  /** Memory areas as they were at load time, for addresses of code that is gone. */
  readonly initRange: { start: GuestAddr; size: number } = { start: NULL, size: 0 };

  constructor(memory: GuestMemory, structs: ModuleStructs, addr: GuestAddr, file: Uint8Array) {
    this.#memory = memory;
    this.structs = structs;
    this.addr = addr;
    this.file = file;
  }

  /** Address of a member of the guest's struct. */
  at(member: ModuleMember, offset = 0): GuestAddr {
    return asAddr(this.addr + this.structs.module[member] + offset);
  }

  ptr(member: ModuleMember): GuestAddr {
    return this.#memory.readPtr(this.at(member));
  }

  setPtr(member: ModuleMember, value: GuestAddr): void {
    this.#memory.writePtr(this.at(member), value);
  }

  u32(member: ModuleMember): number {
    return this.#memory.readU32(this.at(member));
  }

  setU32(member: ModuleMember, value: number): void {
    this.#memory.writeU32(this.at(member), value);
  }

  bool(member: ModuleMember): boolean {
    return this.#memory.readU8(this.at(member)) !== 0;
  }

  setBool(member: ModuleMember, value: boolean): void {
    this.#memory.writeU8(this.at(member), value ? 1 : 0);
  }

  get name(): string {
    return this.#memory.readString(this.at('name'), this.structs.nameSize);
  }

  get state(): ModuleState {
    const value = this.u32('state');
    const { state } = this.structs;
    if (value === state.live) return 'live';
    if (value === state.coming) return 'coming';
    return value === state.going ? 'going' : 'unformed';
  }

  set state(state: ModuleState) {
    this.setU32('state', this.structs.state[state]);
  }

  /** The module's own taint word; bits above 31 do not exist. */
  get taints(): number {
    return this.u32('taints');
  }

  set taints(value: number) {
    this.setU32('taints', value);
  }

  hasTaint(bit: number): boolean {
    return (this.taints & (1 << bit)) !== 0;
  }

  /** The reference counter itself: one more than users, 0 when the module is going. */
  get refcnt(): number {
    return this.#memory.readI32(this.at('refcnt'));
  }

  set refcnt(value: number) {
    this.#memory.writeU32(this.at('refcnt'), value);
  }

  get init(): GuestAddr {
    return this.ptr('init');
  }

  get exit(): GuestAddr {
    return this.ptr('exit');
  }

  layout(which: 'core' | 'init'): ModuleLayout {
    const base = this.at(which === 'core' ? 'core_layout' : 'init_layout');
    const { layout } = this.structs;
    const u32 = (offset: number): number => this.#memory.readU32(asAddr(base + offset));
    return {
      base: this.#memory.readPtr(asAddr(base + layout.base)),
      size: u32(layout.size),
      textSize: u32(layout.text_size),
      roSize: u32(layout.ro_size),
      roAfterInitSize: u32(layout.ro_after_init_size),
    };
  }

  setLayout(which: 'core' | 'init', value: ModuleLayout): void {
    const base = this.at(which === 'core' ? 'core_layout' : 'init_layout');
    const { layout } = this.structs;
    this.#memory.writePtr(asAddr(base + layout.base), value.base);
    this.#memory.writeU32(asAddr(base + layout.size), value.size);
    this.#memory.writeU32(asAddr(base + layout.text_size), value.textSize);
    this.#memory.writeU32(asAddr(base + layout.ro_size), value.roSize);
    this.#memory.writeU32(asAddr(base + layout.ro_after_init_size), value.roAfterInitSize);
  }

  /** `within_module_core` or `within_module_init`. */
  within(which: 'core' | 'init', addr: GuestAddr): boolean {
    const { base, size } = this.layout(which);
    return base !== NULL && addr >= base && addr < base + size;
  }

  withinText(addr: GuestAddr): boolean {
    return (['core', 'init'] as const).some((which) => {
      const { base, textSize } = this.layout(which);
      return base !== NULL && addr >= base && addr < base + textSize;
    });
  }

  /** `module_flags`: `(OE+)`; with `showState`, `+` while it is loaded and `-` while it goes. */
  flags(showState: boolean): string {
    const { taints, state } = this;
    if (taints === 0 && (!showState || state === 'live')) return '';
    if (taints === 0 && state !== 'going' && state !== 'coming') return '';
    const mark = showState ? (state === 'going' ? '-' : state === 'coming' ? '+' : '') : '';
    return `(${taintLetters(taints)}${mark})`;
  }
}
