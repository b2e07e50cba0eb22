import { asAddr, type GuestAddr, hex64 } from '../../bytes/index.ts';
import { type ExportTable, fn } from '../exports.ts';
import type { Kernel } from '../kernel.ts';

/** What `list_del` leaves in an entry. Source: include/linux/poison.h with CONFIG_ILLEGAL_POINTER_VALUE. */
const LIST_POISON1 = 0xdead_0000_0000_0100n;
const LIST_POISON2 = 0xdead_0000_0000_0122n;

/** A corrupted list is warned about, and the operation not made. */
function corrupted(k: Kernel, where: string, text: string): false {
  k.warnInKernel(where, text);
  return false;
}

const show = (addr: GuestAddr): string => hex64(addr);

function addValid(k: Kernel, entry: GuestAddr, previous: GuestAddr, next: GuestAddr): boolean {
  const where = '__list_add_valid';
  const nextPrevious = k.memory.readPtr(asAddr(next + 8));
  if (nextPrevious !== previous) {
    const found = `but was ${show(nextPrevious)}. (next=${show(next)}).`;
    return corrupted(
      k,
      where,
      `list_add corruption. next->prev should be prev (${show(previous)}), ${found}`,
    );
  }
  const previousNext = k.memory.readPtr(previous);
  if (previousNext !== next) {
    const found = `but was ${show(previousNext)}. (prev=${show(previous)}).`;
    return corrupted(k, where, `list_add corruption. prev->next should be next (${show(next)}), ${found}`);
  }
  if (entry === previous || entry === next) {
    const which = `new=${show(entry)}, prev=${show(previous)}, next=${show(next)}.`;
    return corrupted(k, where, `list_add double add: ${which}`);
  }
  return true;
}

function deleteValid(k: Kernel, entry: GuestAddr): boolean {
  const where = '__list_del_entry_valid';
  const next = k.memory.readU64(entry);
  const previous = k.memory.readU64(asAddr(entry + 8));
  const at = show(entry);
  if (next === LIST_POISON1) {
    return corrupted(
      k,
      where,
      `list_del corruption, ${at}->next is LIST_POISON1 (${LIST_POISON1.toString(16)})`,
    );
  }
  if (previous === LIST_POISON2) {
    return corrupted(
      k,
      where,
      `list_del corruption, ${at}->prev is LIST_POISON2 (${LIST_POISON2.toString(16)})`,
    );
  }
  const before = k.memory.readPtr(asAddr(entry + 8));
  const after = k.memory.readPtr(entry);
  const beforeNext = k.memory.readPtr(before);
  if (beforeNext !== entry) {
    const found = `but was ${show(beforeNext)}. (prev=${show(before)})`;
    return corrupted(k, where, `list_del corruption. prev->next should be ${at}, ${found}`);
  }
  const afterPrevious = k.memory.readPtr(asAddr(after + 8));
  if (afterPrevious !== entry) {
    const found = `but was ${show(afterPrevious)}. (next=${show(after)})`;
    return corrupted(k, where, `list_del corruption. next->prev should be ${at}, ${found}`);
  }
  return true;
}

/** lib/list_debug.c */
export const listDebugExports: ExportTable = {
  __list_add_valid: fn(
    'bool __list_add_valid(struct list_head *new, struct list_head *prev, struct list_head *next)',
    (k) => addValid(k, k.args.addr(0), k.args.addr(1), k.args.addr(2)),
  ),
  __list_del_entry_valid: fn('bool __list_del_entry_valid(struct list_head *entry)', (k) =>
    deleteValid(k, k.args.addr(0)),
  ),
};
