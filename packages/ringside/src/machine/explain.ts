import { X86_PF } from '../abi/index.ts';
import { type GuestAddr, hex64 } from '../bytes/index.ts';
import {
  type AddressOwner,
  type CodePlace,
  type Crash,
  type SourcePlace,
  sourceOf,
} from '../kernel/index.ts';

/** The first page: an address in it is a member of a struct at NULL. */
const NULL_LIMIT = 4096;
/** Pointers that the kernel leaves behind on purpose, by their upper half. */
const LIST_POISON_HIGH = 0xdead_0000n;
const ERROR_POINTERS = -4095;

const KILLED = ', and was killed.';
/** A function that is this often on the stack has called itself. */
const RECURSION = 8;

/** What a crash was about, for a person: sentences, one a line. */
export function explainCrash(crash: Crash): string[] {
  if (crash.kind === 'panic') return panicked(crash);
  const lines = [what(crash)];
  const source = locate(crash.place) ?? firstLocated(crash.callers);
  if (source !== undefined) lines.push(...where(source));
  // a call of code that is gone says in its first sentence whose it was
  const told = crash.access === 'execute' && crash.owner?.kind === 'former-module';
  const owner = crash.owner === undefined || told ? undefined : whose(crash.owner, crash.address);
  if (owner !== undefined) lines.push(owner);
  for (const { module, symbol } of crash.holders) {
    lines.push(`The pointer to it is still in ${symbol} of module ${module}.`);
  }
  lines.push(...wayOut(crash), ...aftermath(crash));
  return lines;
}

function panicked(crash: Crash): string[] {
  const { message = '' } = crash;
  // these follow an oops or a warning, which has been explained
  if (/^(?:Fatal exception|Attempted to kill|panic_on_)/.test(message)) {
    const why = {
      'Fatal exception in interrupt': 'killing a process is no way out of an interrupt or a full stack',
      'Fatal exception': 'panic_on_oops is set',
      'panic_on_warn set ...': 'panic_on_warn is set',
    }[message];
    return [
      `The kernel cannot go on after that${why === undefined ? '' : `: ${why}`}. It panicked, and the machine has stopped.`,
    ];
  }
  const source = locate(crash.place) ?? firstLocated(crash.callers);
  return [
    `The kernel panicked (${message}) while ${who(crash)} ran: the machine has stopped.`,
    ...(source === undefined ? [] : where(source)),
  ];
}

/** Whom it happened to. */
function who({ comm, pid, running, callers }: Crash): string {
  const process = `${comm} (PID ${pid})`;
  switch (running?.kind) {
    case 'init':
      return `${process}, in the init of module ${running.module},`;
    case 'exit':
      return `${process}, in the exit of module ${running.module},`;
    case 'work': {
      const { symbol, module } = running.func;
      return module === undefined
        ? process
        : `The work function ${functionOf(symbol)}() of module ${module.name}`;
    }
    case 'interrupt': {
      const timer = callers.findIndex(({ symbol }) => symbol.startsWith('call_timer_fn+'));
      return timer < 0
        ? `An interrupt, while ${process} was on the CPU,`
        : `A timer, while ${process} was on the CPU,`;
    }
    default:
      return process;
  }
}

/** `name+0x1/0x2 [module]` without what stands behind the name. */
function functionOf(symbol: string): string {
  return /^[^+\s]+/.exec(symbol)?.[0] ?? symbol;
}

function what(crash: Crash): string {
  const { fault } = crash;
  const subject = who(crash);
  const at = crash.place.symbol;
  if (crash.kind === 'warning') {
    return crash.place.module === undefined
      ? `The kernel warned in ${at}: something about how it was called is wrong. ${subject} went on.`
      : `A WARN() in ${at} found what it does not expect. ${subject} went on.`;
  }
  const end = {
    interrupt: '.',
    work: ', and its worker was killed.',
    init: KILLED,
    exit: KILLED,
    none: KILLED,
  }[crash.running?.kind ?? 'none'];
  switch (fault?.kind) {
    case 'bug':
      return `${subject} reached a BUG() in ${at}: the code says that this must not happen${end}`;
    case 'page-fault':
      return `${subject} ${pageFault(crash)}${end}`;
    case 'general-protection':
      return fault.operand === undefined
        ? `${subject} did something in ${at} that the CPU does not allow${end}`
        : `${subject} used 0x${fault.operand.address.toString(16)} as a pointer in ${at}, which is no address at all${end}`;
    case 'trap':
      return fault.name === 'divide error'
        ? `${subject} divided by zero, or the quotient did not fit, in ${at}${end}`
        : `${subject} met the CPU exception "${fault.name}" in ${at}${end}`;
    case 'stack-overflow':
      return `${subject} used up its kernel stack in ${at}${recursion(crash)}.`;
    default:
      return `${subject} was killed in ${at}.`;
  }
}

function recursion({ callers }: Crash): string {
  const counts = new Map<string, number>();
  for (const { symbol } of callers) {
    const name = functionOf(symbol);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const [name, count] = [...counts].reduce((most, each) => (each[1] > most[1] ? each : most), ['', 0]);
  return count < RECURSION
    ? ': large variables or arrays do not belong on it'
    : `: ${name}() called itself, ${count} times and more`;
}

function pageFault(crash: Crash): string {
  const { address, access, owner, fault } = crash;
  const at = `in ${crash.place.symbol}`;
  if (address === undefined) return `made a bad memory access ${at}`;
  if (access === 'execute') {
    if (address === 0) return 'called a function pointer that is NULL';
    const place = hex64(address);
    if (owner?.kind === 'former-module') {
      const name = owner.symbol === undefined ? 'code' : `${owner.symbol}()`;
      return owner.what === 'init'
        ? `called ${name} in module ${owner.module}'s init memory, which is gone (${place})`
        : `called ${name} of module ${owner.module}, which has been unloaded (${place})`;
    }
    return owner === undefined
      ? `jumped to ${place}, where there is nothing`
      : `jumped to ${place}, which holds data and no code`;
  }
  const verb = access === 'write' ? 'wrote to' : 'read';
  if (address >= 0 && address < NULL_LIMIT) {
    return address === 0
      ? `${verb} a NULL pointer ${at}`
      : `${verb} the member at offset 0x${address.toString(16)} of a NULL pointer ${at}`;
  }
  if (address < 0 && address >= ERROR_POINTERS) return `${verb} an error pointer (ERR_PTR(${address})) ${at}`;
  if (address >= 0) {
    return `${verb} the user-space address 0x${address.toString(16)} directly ${at} (there are copy_from_user() and copy_to_user() for that)`;
  }
  const present = fault?.kind === 'page-fault' && (fault.errorCode & X86_PF.X86_PF_PROT) !== 0;
  return `${verb} ${hex64(address)} ${at}, ${present ? 'which is read-only' : 'where there is no memory'}`;
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

function wayOut(crash: Crash): string[] {
  const { owner, running, fault, callers } = crash;
  if (owner?.kind === 'former-module') {
    if (owner.what === 'init') {
      return [
        'Do not call or keep pointers to functions marked __init after init, nor to data marked __initdata.',
      ];
    }
    const what =
      running?.kind === 'work' && running.func.module === undefined
        ? 'cancel its work items (cancel_work_sync(), cancel_delayed_work_sync())'
        : callers[0]?.symbol.startsWith('call_timer_fn+') === true
          ? 'delete its timers (del_timer_sync())'
          : 'take back every pointer to its functions that it has registered anywhere';
    return [`The exit function of ${owner.module} must ${what}.`];
  }
  if (owner?.kind === 'object' && owner.object.freed !== undefined) {
    return ['The object was used after it had been freed.'];
  }
  if (
    fault?.kind === 'general-protection' &&
    fault.operand !== undefined &&
    fault.operand.address >> 32n === LIST_POISON_HIGH
  ) {
    return ['It is what list_del() leaves in an entry: the entry has been deleted from its list already.'];
  }
  return [];
}

/** What an oops leaves behind. */
function aftermath({ kind, running, fault }: Crash): string[] {
  if (kind !== 'oops' || fault?.kind === 'stack-overflow') return [];
  if (running?.kind !== 'init' && running?.kind !== 'exit') return [];
  const state = running.kind === 'init' ? 'Loading' : 'Unloading';
  return [`Module ${running.module} stays ${state}: it can be neither used nor removed until the next boot.`];
}

interface Located {
  readonly location: SourcePlace;
  readonly inCaller: boolean;
}

function firstLocated(places: readonly CodePlace[]): Located | undefined {
  for (const place of places) {
    const found = locate(place);
    if (found !== undefined) return { ...found, inCaller: true };
  }
  return undefined;
}

function locate(place: CodePlace): Located | undefined {
  const location = sourceOf(place);
  return location && { location, inCaller: false };
}

function where({ location, inCaller }: Located): string[] {
  const name = location.function === undefined ? '' : ` in ${location.function}()`;
  const lines = [`${inCaller ? 'Called from' : 'Source:'} ${location.file}:${location.line}${name}`];
  for (const caller of location.inlinedFrom) {
    lines.push(`  inlined into ${caller.function ?? 'a function'}() at ${caller.file}:${caller.line}`);
  }
  return lines;
}
