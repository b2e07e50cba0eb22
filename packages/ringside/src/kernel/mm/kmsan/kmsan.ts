import type { GuestAddr } from '../../../bytes/index.ts';
import type { Origin, TrackedMemory } from '../../../memory/index.ts';
import {
  type DefinednessHost,
  DefinednessTracker,
  type InstructionFollower,
  type RegisterFile,
  type Use,
} from '../../../translate/index.ts';
import type { Kernel } from '../../kernel.ts';
import type { AllocationSite } from '../kasan/track.ts';
import { Origins } from './origins.ts';

/** Functions of ours whose reading of blocks is only copying: what is undefined there is undefined in the copy. */
const COPIES = new Set(['memcpy', 'memmove', '__memcpy', '__memmove', 'kmemdup', 'krealloc']);
/** Functions of ours that look at all of a stack, or at a task that goes down. */
const DUMPS = new Set(['dump_stack', 'dump_stack_lvl', 'panic', '__warn_printk', '__stack_chk_fail']);

/**
 * Uses of values that nobody has given, as KMSAN finds them: memory from an allocator without __GFP_ZERO and the room
 * that a function makes on its stack are undefined until something is written there, also where the kernel's configuration has them
 * zeroed (as KMSAN does: what the configuration hides is still a bug).
 */
export class Kmsan implements DefinednessHost {
  readonly #k: Kernel;
  readonly #memory: TrackedMemory;
  readonly #origins: Origins;
  #tracker: DefinednessTracker | undefined;
  /** The call of a function of ours that has told already: a string is read byte by byte. */
  #toldCall = -1;
  #calls = 0;

  constructor(k: Kernel, memory: TrackedMemory) {
    this.#k = k;
    this.#memory = memory;
    this.#origins = new Origins(k);
    memory.isCopying = () => COPIES.has(k.natives.runningName ?? '');
    memory.onStored = (origin) => this.stored(origin);
    memory.onRead = (addr, size) => this.#read(addr, size);
  }

  /** Makes the follower of the processor with these registers. */
  follower(regs: RegisterFile): InstructionFollower {
    this.#tracker = new DefinednessTracker(this.#memory, regs, this);
    return this.#tracker;
  }

  /** Memory has been handed out. What the kernel takes for itself is defined. */
  allocated(addr: GuestAddr, size: number, zeroed: boolean, site: AllocationSite): void {
    const { definedness } = this.#memory;
    if (zeroed || site.stack === undefined) definedness.define(addr >>> 0, size);
    else definedness.undefine(addr >>> 0, size, this.#origins.allocation(site.stack));
  }

  /** Guest code has called a function of ours. */
  called(): void {
    this.#calls++;
    this.#tracker?.called();
  }

  /** Guest code is about to be called, with registers that the kernel has set. */
  begins(): void {
    this.#tracker?.begins();
  }

  codeGoes(): void {
    this.#origins.codeGoes();
  }

  stored(origin: Origin): Origin {
    return this.#origins.stored(origin);
  }

  frame(place: GuestAddr): Origin {
    return this.#origins.frame(place);
  }

  thunkRegister(target: GuestAddr): number | undefined {
    const thunk = this.#k.text.thunkAt(target);
    return thunk?.kind === 'indirect' ? thunk.register : undefined;
  }

  used(use: Use, origin: Origin): void {
    this.#k.reports.uninitialised(use, () => ({ use, ...this.#origins.history(origin), bytes: undefined }));
  }

  /** A function of ours reads undefined bytes on behalf of guest code. */
  #read(address: GuestAddr, size: number): void {
    const { natives, reports } = this.#k;
    const name = natives.runningName;
    if (name === undefined || DUMPS.has(name) || this.#calls === this.#toldCall) return;
    const { definedness } = this.#memory;
    const range = definedness.undefinedBytes(address >>> 0, size);
    if (range === undefined) return;
    this.#toldCall = this.#calls;
    const origin = definedness.originOf((address >>> 0) + range.start, 1);
    reports.uninitialised('read', () => ({
      use: 'read',
      ...this.#origins.history(origin),
      bytes: { address, size, ...range },
    }));
  }
}
