import { asAddr, type GuestAddr } from '../../../bytes/index.ts';
import type { Origin } from '../../../memory/index.ts';
import { RSP } from '../../../translate/index.ts';
import type { Kernel } from '../../kernel.ts';
import type { StackNode } from '../kasan/stack-depot.ts';
import { type StackFrame, stackFrame } from '../kasan/stack-frame.ts';
import type { UninitCreation } from './uninit-report.ts';

/** Origins that are kept; then new ones are nobody's. */
const LIMIT = 1 << 18;
/** Stores that are told of one value. Source: mm/kmsan/kmsan.h, KMSAN_MAX_ORIGIN_DEPTH. */
const DEPTH_LIMIT = 7;

interface Place {
  /** The code itself; undefined when the function of ours that runs is called from the first of `callers`. */
  readonly place: StackFrame | undefined;
  readonly callers: StackNode;
}

type Record_ =
  | (Place & { readonly kind: 'heap' | 'stack' })
  | (Place & { readonly kind: 'store'; readonly parent: Origin; readonly depth: number });

/** Who made memory undefined, and where undefined values were stored since: numbers for `Definedness`. */
export class Origins {
  readonly #k: Kernel;
  readonly #records: (Record_ | undefined)[] = [undefined];
  readonly #heap = new Map<StackNode, Origin>();
  readonly #frames = new Map<StackNode, Map<GuestAddr, Origin>>();
  readonly #stores = new Map<Origin, Map<GuestAddr, Origin>>();

  constructor(k: Kernel) {
    this.#k = k;
  }

  allocation(stack: StackNode): Origin {
    let origin = this.#heap.get(stack);
    if (origin === undefined) {
      origin = this.#add({ kind: 'heap', place: undefined, callers: stack });
      this.#heap.set(stack, origin);
    }
    return origin;
  }

  /** The instruction at `place` has made room on the stack; RIP stands behind it. */
  frame(place: GuestAddr): Origin {
    const callers = this.#k.tracks.depot.callers();
    return intern(this.#frames, callers, place, () =>
      this.#add({ kind: 'stack', place: stackFrame(this.#k, place, false), callers }),
    );
  }

  /** A value with this origin is stored by the code that runs. */
  stored(parent: Origin): Origin {
    const before = this.#records[parent];
    if (before === undefined) return parent;
    const depth = before.kind === 'store' ? before.depth + 1 : 1;
    if (depth > DEPTH_LIMIT) return parent;
    const { rip } = this.#k.cpu.regs;
    const native = this.#k.natives.nameAt(rip) !== undefined;
    const ip = native ? this.#caller() : rip;
    return intern(this.#stores, parent, ip, () => {
      const place = native ? undefined : stackFrame(this.#k, rip, false);
      const { depot } = this.#k.tracks;
      const callers = native ? depot.capture() : depot.callers();
      return this.#add({ kind: 'store', place, callers, parent, depth });
    });
  }

  /** Where a value was stored, the last first, and where it came from. */
  history(origin: Origin): { stored: StackFrame[][]; created: UninitCreation | undefined } {
    const stored: StackFrame[][] = [];
    let record = this.#records[origin];
    while (record?.kind === 'store') {
      stored.push(this.#stack(record));
      record = this.#records[record.parent];
    }
    return { stored, created: record && { kind: record.kind, stack: this.#stack(record) } };
  }

  /** The code there goes: what comes to its addresses is something else. */
  codeGoes(): void {
    this.#frames.clear();
    this.#stores.clear();
  }

  #stack({ place, callers }: Place): StackFrame[] {
    const frames = this.#k.tracks.depot.frames(callers);
    return place === undefined ? frames : [place, ...frames];
  }

  #caller(): GuestAddr {
    return asAddr(Number(this.#k.memory.view.getBigInt64(this.#k.cpu.regs.addr(RSP) >>> 0, true)));
  }

  #add(record: Record_): Origin {
    return this.#records.length < LIMIT ? this.#records.push(record) - 1 : 0;
  }
}

function intern<K>(map: Map<K, Map<GuestAddr, Origin>>, key: K, at: GuestAddr, make: () => Origin): Origin {
  let inner = map.get(key);
  if (inner === undefined) {
    inner = new Map();
    map.set(key, inner);
  }
  let origin = inner.get(at);
  if (origin === undefined) {
    origin = make();
    inner.set(at, origin);
  }
  return origin;
}
