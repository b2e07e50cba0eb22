import { FormatError, type GuestAddr, hex64, UnsupportedError } from '../bytes/index.ts';
import { LineTable, type SourceLocation } from '../dwarf/index.ts';
import { ElfFile } from '../elf/index.ts';
import type { AddressOwner, CodePlace, Crash } from '../kernel/index.ts';

/** The first page: an address in it is a member of a struct at NULL. */
const NULL_LIMIT = 4096;
/** Pointers that the kernel leaves behind on purpose, by their upper half. */
const LIST_POISON_HIGH = 0xdead_0000n;
const ERROR_POINTERS = -4095;

/** What a crash was about, for a person: sentences, one a line. */
export function explainCrash(crash: Crash): string[] {
  const lines = [what(crash)];
  const source = locate(crash.place) ?? firstLocated(crash.callers);
  if (source !== undefined) lines.push(...where(source));
  const owner = crash.owner === undefined ? undefined : whose(crash.owner, crash.address);
  if (owner !== undefined) lines.push(owner);
  const advice = wayOut(crash);
  if (advice !== undefined) lines.push(advice);
  return lines;
}

function what(crash: Crash): string {
  const who = `${crash.comm} (PID ${crash.pid})`;
  const { fault } = crash;
  if (crash.kind === 'warning') return `A WARN in ${crash.place.symbol} fired; ${who} went on behind it.`;
  if (crash.kind === 'panic') return `The kernel panicked while ${who} ran: the machine has stopped.`;
  switch (fault?.kind) {
    case 'bug':
      return `BUG() was reached in ${crash.place.symbol}: the code says that this must not happen. ${who} was killed.`;
    case 'page-fault':
      return `${who} ${pageFault(crash)}, and was killed.`;
    case 'general-protection':
      return fault.operand === undefined
        ? `${who} did something in ${crash.place.symbol} that the CPU does not allow, and was killed.`
        : `${who} used 0x${fault.operand.address.toString(16)} as a pointer in ${crash.place.symbol}; it is no address at all. It was killed.`;
    case 'trap':
      return fault.name === 'divide error'
        ? `${who} divided by zero, or the quotient did not fit, in ${crash.place.symbol}, and was killed.`
        : `${who} met the CPU exception "${fault.name}" in ${crash.place.symbol}, and was killed.`;
    default:
      return `${who} was killed in ${crash.place.symbol}.`;
  }
}

function pageFault(crash: Crash): string {
  const { address, access } = crash;
  if (address === undefined) return `made a bad memory access in ${crash.place.symbol}`;
  if (access === 'execute') {
    if (address === 0) return 'called a function pointer that is NULL';
    return `jumped to ${hex64(address)}, where there is no code`;
  }
  const verb = access === 'write' ? 'wrote to' : 'read';
  const at = `in ${crash.place.symbol}`;
  if (address >= 0 && address < NULL_LIMIT) {
    return address === 0
      ? `${verb} a NULL pointer ${at}`
      : `${verb} the member at offset 0x${address.toString(16)} of a NULL pointer ${at}`;
  }
  if (address < 0 && address >= ERROR_POINTERS) return `${verb} an error pointer (ERR_PTR(${address})) ${at}`;
  if (address >= 0) return `${verb} the user-space address 0x${address.toString(16)} directly ${at}`;
  return `${verb} ${hex64(address)} ${at}, which it may not`;
}

function whose(owner: AddressOwner, address: GuestAddr | undefined): string | undefined {
  switch (owner.kind) {
    case 'object': {
      const { object } = owner;
      const inside = address === undefined ? '' : `, ${address - object.addr} bytes in`;
      const state =
        object.freed === undefined
          ? `allocated by ${object.allocated.comm} (PID ${object.allocated.pid})`
          : `freed by ${object.freed.comm} (PID ${object.freed.pid})`;
      return `The address belongs to an object of ${object.size} bytes from ${object.cache.name}${inside}, ${state}.`;
    }
    case 'former-module': {
      const symbol = owner.symbol === undefined ? '' : `${owner.symbol} of `;
      return owner.what === 'init'
        ? `The address was ${symbol}module ${owner.module}'s init memory, which is freed once its init function has returned.`
        : `The address was ${symbol}module ${owner.module}, which has been unloaded.`;
    }
    case 'module': {
      const symbol = owner.symbol === undefined ? '' : `${owner.symbol} in `;
      return `The address is ${symbol}${owner.section ?? 'the memory'} of module ${owner.module}.`;
    }
    case 'image':
      return `The address is ${owner.symbol} of the kernel itself.`;
  }
}

function wayOut(crash: Crash): string | undefined {
  if (crash.owner?.kind === 'former-module') {
    return crash.owner.what === 'init'
      ? 'Do not call or keep pointers to functions marked __init after init, nor to data marked __initdata.'
      : 'Whoever registers a function pointer must take it back in its exit function.';
  }
  if (crash.owner?.kind === 'object' && crash.owner.object.freed !== undefined) {
    return 'The object was used after it had been freed.';
  }
  const { fault } = crash;
  if (
    fault?.kind === 'general-protection' &&
    fault.operand !== undefined &&
    fault.operand.address >> 32n === LIST_POISON_HIGH
  ) {
    return 'It is what list_del() leaves in an entry: the entry has been deleted from its list already.';
  }
  return undefined;
}

interface Located {
  readonly location: SourceLocation;
  readonly inCaller: boolean;
}

function firstLocated(places: readonly CodePlace[]): Located | undefined {
  for (const place of places) {
    const found = locate(place);
    if (found !== undefined) return { ...found, inCaller: true };
  }
  return undefined;
}

/** The source line of a place, where the module's file has debug information that can be read. */
function locate(place: CodePlace): Located | undefined {
  if (place.module === undefined) return undefined;
  try {
    const elf = new ElfFile(place.module.file);
    const section = elf.section(place.module.section);
    if (section === undefined) return undefined;
    const lines = new LineTable(elf);
    const location = lines.at(section.index, place.module.offset);
    if (location === undefined || location.line === 0) return undefined;
    const directories = new Set(lines.units.map((unit) => `${unit.compilationDirectory}/`));
    const relative = (file: string): string => {
      for (const directory of directories)
        if (file.startsWith(directory)) return file.slice(directory.length);
      return file;
    };
    return {
      location: {
        ...location,
        file: relative(location.file),
        inlinedFrom: location.inlinedFrom.map((caller) => ({ ...caller, file: relative(caller.file) })),
      },
      inCaller: false,
    };
  } catch (error) {
    // debug information that cannot be read takes nothing from the rest
    if (error instanceof FormatError || error instanceof UnsupportedError) return undefined;
    throw error;
  }
}

function where({ location, inCaller }: Located): string[] {
  const name = location.function === undefined ? '' : ` in ${location.function}()`;
  const lines = [`${inCaller ? 'Called from' : 'Source:'} ${location.file}:${location.line}${name}`];
  for (const caller of location.inlinedFrom) {
    lines.push(`  inlined into ${caller.function ?? 'a function'}() at ${caller.file}:${caller.line}`);
  }
  return lines;
}
