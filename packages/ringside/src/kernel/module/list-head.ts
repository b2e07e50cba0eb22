import { asAddr, type GuestAddr } from '../../bytes/index.ts';
import type { GuestMemory } from '../../memory/index.ts';

/**
 * `struct list_head` in guest memory, as include/linux/list.h has it: the first word is `next`, the second
 * `prev`. Modules link and unlink themselves with inlined code, so these links are the only list there is.
 */
const PREV = 8;

/** Freed list heads point here. Source: include/linux/poison.h with CONFIG_ILLEGAL_POINTER_VALUE. */
const LIST_POISON1 = 0xdead_0000_0000_0100n;
const LIST_POISON2 = 0xdead_0000_0000_0122n;

export function initListHead(memory: GuestMemory, head: GuestAddr): void {
  memory.writePtr(head, head);
  memory.writePtr(asAddr(head + PREV), head);
}

/** `list_add`: puts `entry` right after `head`. */
export function listAdd(memory: GuestMemory, entry: GuestAddr, head: GuestAddr): void {
  const next = memory.readPtr(head);
  memory.writePtr(asAddr(next + PREV), entry);
  memory.writePtr(entry, next);
  memory.writePtr(asAddr(entry + PREV), head);
  memory.writePtr(head, entry);
}

/** Unlinks; `poison` as `list_del` does (`list_del_rcu` leaves `next` alone). */
export function listDel(memory: GuestMemory, entry: GuestAddr, poison: 'list_del' | 'list_del_rcu'): void {
  const next = memory.readPtr(entry);
  const prev = memory.readPtr(asAddr(entry + PREV));
  memory.writePtr(asAddr(next + PREV), prev);
  memory.writePtr(prev, next);
  if (poison === 'list_del') memory.writeU64(entry, LIST_POISON1);
  memory.writeU64(asAddr(entry + PREV), LIST_POISON2);
}

export function listEmpty(memory: GuestMemory, head: GuestAddr): boolean {
  return memory.readPtr(head) === head;
}

/** No list of modules or of their users is longer. */
const LONGEST = 65_536;

/**
 * The entries from `head` on. `Deviation:` a list that a module has bent into a ring without its head ends here; the
 * real kernel would go round for ever. The next one is read before an entry is handed
 * out, so that it may be unlinked.
 */
export function* listEntries(memory: GuestMemory, head: GuestAddr): Generator<GuestAddr> {
  let entry = memory.readPtr(head);
  for (let count = 0; entry !== head && count < LONGEST; count++) {
    const next = memory.readPtr(entry);
    yield entry;
    entry = next;
  }
}
