import { KERN } from '../../abi/index.ts';
import { asAddr, type GuestAddr } from '../../bytes/index.ts';
import type { GuestMemory } from '../../memory/index.ts';
import type { StructQuery } from '../lib/index.ts';
import type { Printk } from './printk.ts';

/** The summary of what was dropped is printed by `ratelimit_state_exit`, not here. Source: ratelimit_types.h. */
const RATELIMIT_MSG_ON_RELEASE = 1;

/** What rate limiting needs of the machine. */
export interface RatelimitServices {
  readonly memory: GuestMemory;
  readonly types: StructQuery;
  readonly printk: Printk;
  /** The 64 bits of `jiffies`. */
  jiffies(): bigint;
}

/**
 * `___ratelimit`: whether the caller may go on, by the `struct ratelimit_state` at `state`; at most `burst` times in
 * `interval` jiffies. Prints how many were not let through when an interval has passed.
 * @param caller Name of the function, for that message.
 */
export function ratelimit(services: RatelimitServices, state: GuestAddr, caller: string): boolean {
  const { memory, types, printk } = services;
  const layout = types.struct('ratelimit_state');
  const at = (field: string): GuestAddr => asAddr(state + layout.offsetOf(field));
  const interval = memory.readI32(at('interval'));
  const burst = memory.readI32(at('burst'));
  if (interval === 0) return true;
  // Held by someone else: too busy to print.
  if (memory.readU32(at('lock')) !== 0) return false;
  const now = services.jiffies();
  if (memory.readU64(at('begin')) === 0n) memory.writeU64(at('begin'), now);
  const end = memory.readU64(at('begin')) + BigInt(interval);
  if (BigInt.asIntN(64, end - now) < 0n) {
    const missed = memory.readI32(at('missed'));
    if (missed !== 0 && !(memory.readU64(at('flags')) & BigInt(RATELIMIT_MSG_ON_RELEASE))) {
      printk.printk(KERN.KERN_WARNING, `${caller}: ${missed} callbacks suppressed\n`);
      memory.writeU32(at('missed'), 0);
    }
    memory.writeU64(at('begin'), now);
    memory.writeU32(at('printed'), 0);
  }
  const printed = memory.readI32(at('printed'));
  if (burst !== 0 && burst > printed) {
    memory.writeU32(at('printed'), printed + 1);
    return true;
  }
  memory.writeU32(at('missed'), memory.readI32(at('missed')) + 1);
  return false;
}

/**
 * `printk_timed_ratelimit`: whether `intervalMs` have passed since the caller's last time.
 * @param last Where the caller keeps its last time in jiffies.
 * @param hz Jiffies per second, CONFIG_HZ.
 */
export function printkTimedRatelimit(
  services: RatelimitServices,
  last: GuestAddr,
  intervalMs: number,
  hz: number,
): boolean {
  const now = services.jiffies();
  const previous = services.memory.readU64(last);
  const elapsed = BigInt.asUintN(64, now - previous);
  const interval = BigInt(Math.ceil((intervalMs * hz) / 1000));
  if (previous !== 0n && elapsed <= interval) return false;
  services.memory.writeU64(last, now);
  return true;
}
