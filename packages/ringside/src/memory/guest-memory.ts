import {
  addrFromParts,
  addrToU64,
  asAddr,
  type GuestAddr,
  hex64,
  InvariantError,
  isCanonical,
} from '../bytes/index.ts';
import { type Access, type FaultReason, GuestAccessFault } from './access-fault.ts';
import { HIGH_HALVES, HIGH_HALVES_SHIFT, highHalfOf, PAGE_SHIFT, PAGE_SIZE, SHADOW_BASE } from './layout.ts';
import { GRANULE_SHIFT, type Poison, SHADOW_NONE, SHADOW_RO, SHADOW_RW } from './shadow.ts';

/** What may be done with a page. */
export interface Protection {
  readonly write: boolean;
  readonly execute: boolean;
}

export const PROT_RW: Protection = { write: true, execute: false };
export const PROT_RO: Protection = { write: false, execute: false };
export const PROT_RX: Protection = { write: false, execute: true };

const PRESENT = 1;
const WRITE = 2;
const EXECUTE = 4;
const SLOW = 8;

/** Completes accesses to a slow page: a device's registers or another view of pages that live elsewhere. */
export interface SlowPage {
  /** `offset` in bytes from the start of the mapping; the result is unsigned, little endian. */
  read(offset: number, size: 1 | 2 | 4 | 8): bigint;
  write(offset: number, size: 1 | 2 | 4 | 8, value: bigint): void;
}

/** Pages that are both writable and executable are checked as read-only ones: the host makes the stores. */
function shadowOf(protection: Protection): number {
  return protection.write && !protection.execute ? SHADOW_RW : SHADOW_RO;
}

interface SlowMapping {
  readonly start: GuestAddr;
  readonly size: number;
  readonly page: SlowPage;
}

/** Told of an access to watched memory, before it is made. */
export type WatchObserver = (addr: GuestAddr, size: number, access: Access) => void;

/** Told of an access to poisoned memory. When it returns, the access is made, as the real kernel would. */
export type PoisonReporter = (addr: GuestAddr, size: number, access: Access) => void;

/**
 * The guest's address space: one 4 GiB WebAssembly memory that holds the byte of an address at the address's
 * low 32 bits, with a shadow that says which bytes may be used and page permissions.
 *
 * Functions of ours use the checked accessors (`readU32`, `writePtr`, ...): a bad address throws
 * `GuestAccessFault`, poisoned memory is reported and then used. Translated code makes the same checks inline.
 * The `raw` views are for allocators and the engine, which know what they touch.
 */
export class GuestMemory {
  readonly wasm: WebAssembly.Memory;
  /** All 4 GiB; the index is an address's low 32 bits (`addr >>> 0`). */
  readonly raw: Uint8Array;
  readonly view: DataView;
  /** Signed shadow bytes, one for 8 bytes of memory; see shadow.ts. */
  readonly shadow: Int8Array;
  onPoison: PoisonReporter | undefined;
  /** Told when the bytes or permissions of executable pages change, so that translations can be dropped. */
  onTextChange: ((addr: GuestAddr, size: number) => void) | undefined;
  /** Asked about a page that is not present; true when it has mapped it: memory that is set up when it is first used. */
  onMissing: ((addr: GuestAddr) => boolean) | undefined;
  /** Told of accesses by functions of ours to watched memory; the engine sees those of guest code by itself. */
  onWatched: WatchObserver | undefined;
  /** CR0.WP: whether the kernel's own writes to read-only pages fault. */
  writeProtect = true;
  readonly #pages = new Uint8Array(2 ** 20);
  /** The upper 32 bits of addresses whose low half is in this 16 MiB piece; 0 where there is no region. Exact code looks here too. */
  readonly #high: Int32Array;
  readonly #slow: SlowMapping[] = [];
  /** What the shadow of watched granules would say; theirs says "nothing", so that no fast check passes. */
  readonly #watched = new Map<number, number>();

  constructor() {
    this.wasm = new WebAssembly.Memory({ initial: 65536, maximum: 65536 });
    this.raw = new Uint8Array(this.wasm.buffer);
    this.view = new DataView(this.wasm.buffer);
    this.shadow = new Int8Array(this.wasm.buffer, SHADOW_BASE, 2 ** 29);
    this.#high = new Int32Array(this.wasm.buffer, HIGH_HALVES, 256);
    for (let i = 0; i < this.#high.length; i++) this.#high[i] = highHalfOf(i * 2 ** HIGH_HALVES_SHIFT);
  }

  // ---- mapping

  /** Makes `[addr, addr + size)` (page aligned) present and valid, with its present content. */
  map(addr: GuestAddr, size: number, protection: Protection): void {
    this.#eachPage(addr, size, (page) => {
      this.#pages[page] = PRESENT | (protection.write ? WRITE : 0) | (protection.execute ? EXECUTE : 0);
    });
    this.#fillShadow(addr, size, shadowOf(protection));
    if (protection.execute) this.onTextChange?.(addr, size);
  }

  /** Takes pages away: every access faults. The content stays until the pages are used again. */
  unmap(addr: GuestAddr, size: number): void {
    if (this.isExecutable(addr, size)) this.onTextChange?.(addr, size);
    this.#eachPage(addr, size, (page) => {
      this.#pages[page] = 0;
    });
    this.#fillShadow(addr, size, SHADOW_NONE);
    const kept = this.#slow.filter((s) => s.start >= addr + size || s.start + s.size <= addr);
    this.#slow.splice(0, this.#slow.length, ...kept);
  }

  /** Changes permissions of present pages; poison stays. */
  protect(addr: GuestAddr, size: number, protection: Protection): void {
    const wasText = this.isExecutable(addr, size);
    this.#eachPage(addr, size, (page) => {
      if (!(this.#pages[page]! & PRESENT))
        throw new InvariantError(`protect of an unmapped page at ${hex64(addr)}`);
      this.#pages[page] = PRESENT | (protection.write ? WRITE : 0) | (protection.execute ? EXECUTE : 0);
    });
    const to = shadowOf(protection);
    this.#replaceShadow(addr, size, to === SHADOW_RW ? SHADOW_RO : SHADOW_RW, to);
    if (wasText || protection.execute) this.onTextChange?.(addr, size);
  }

  /** Maps pages whose accesses are completed by `page`, one at a time. */
  mapSlow(addr: GuestAddr, size: number, page: SlowPage): void {
    this.#eachPage(addr, size, (index) => {
      this.#pages[index] = PRESENT | WRITE | SLOW;
    });
    this.#fillShadow(addr, size, SHADOW_NONE);
    this.#slow.push({ start: addr, size, page });
  }

  /** Marks mapped bytes valid: whole granules, and a last partial one of `size & 7` bytes. */
  unpoison(addr: GuestAddr, size: number): void {
    const first = (addr >>> 0) >>> GRANULE_SHIFT;
    const whole = size >>> GRANULE_SHIFT;
    // Stores into text are never made without the host, so that translations of it are dropped.
    const text = this.isExecutable(addr);
    this.shadow.fill(text ? SHADOW_RO : SHADOW_RW, first, first + whole);
    if (size & 7) this.shadow[first + whole] = text ? SHADOW_RO : size & 7;
    this.#hideWatched(first, first + ((size + 7) >>> GRANULE_SHIFT));
  }

  /** Marks mapped granules as not for use. `addr` is granule aligned; `size` is rounded up. */
  poison(addr: GuestAddr, size: number, kind: Poison): void {
    const first = (addr >>> 0) >>> GRANULE_SHIFT;
    const end = first + ((size + 7) >>> GRANULE_SHIFT);
    this.shadow.fill(kind, first, end);
    this.#hideWatched(first, end);
  }

  /** Makes every access to the granules of the range take the slow way, where it is seen. */
  watch(addr: GuestAddr, size: number): void {
    const last = ((addr >>> 0) + size - 1) >>> GRANULE_SHIFT;
    for (let granule = (addr >>> 0) >>> GRANULE_SHIFT; granule <= last; granule++) {
      if (this.#watched.has(granule)) continue;
      this.#watched.set(granule, this.shadow[granule]!);
      this.shadow[granule] = SHADOW_NONE;
    }
  }

  /** Ends all watching. */
  unwatchAll(): void {
    for (const [granule, value] of this.#watched) this.shadow[granule] = value;
    this.#watched.clear();
  }

  // ---- queries

  isPresent(addr: GuestAddr): boolean {
    return this.#inRegion(addr) && (this.#pages[(addr >>> 0) >>> PAGE_SHIFT]! & PRESENT) !== 0;
  }

  isWritable(addr: GuestAddr): boolean {
    return this.#inRegion(addr) && (this.#pages[(addr >>> 0) >>> PAGE_SHIFT]! & WRITE) !== 0;
  }

  /** Whether any page of the range is executable. */
  isExecutable(addr: GuestAddr, size = 1): boolean {
    if (!this.#inRegion(addr)) return false;
    const last = ((addr >>> 0) + size - 1) >>> PAGE_SHIFT;
    for (let page = (addr >>> 0) >>> PAGE_SHIFT; page <= last; page++) {
      if (this.#pages[page]! & EXECUTE) return true;
    }
    return false;
  }

  isSlow(addr: GuestAddr): boolean {
    return this.#inRegion(addr) && (this.#pages[(addr >>> 0) >>> PAGE_SHIFT]! & SLOW) !== 0;
  }

  /**
   * Why an access of `size` bytes at `addr` is not plain and valid, or undefined when it is. An access to a slow
   * page is valid (see `isSlow`). The address is judged as the CPU does: canonical form, present, permission; then
   * the shadow.
   */
  faultReason(addr: GuestAddr, size: number, access: Access): FaultReason | undefined {
    if (!isCanonical(addr)) return 'non-canonical';
    if (addr >= 0) return 'user';
    for (
      let at = addr as number;
      ;
      at = Math.min(addr + size - 1, (Math.floor(at / PAGE_SIZE) + 1) * PAGE_SIZE)
    ) {
      if (!this.#inRegion(at)) return 'not-mapped';
      let flags = this.#pages[(at >>> 0) >>> PAGE_SHIFT]!;
      if (!(flags & PRESENT)) {
        if (this.onMissing?.(asAddr(at)) !== true) return 'not-mapped';
        flags = this.#pages[(at >>> 0) >>> PAGE_SHIFT]!;
      }
      if (access === 'write' && !(flags & WRITE) && this.writeProtect) return 'protection';
      if (access === 'execute' && !(flags & EXECUTE)) return 'protection';
      if (flags & SLOW) return undefined;
      if (at === addr + size - 1) break;
    }
    return this.#shadowAllows(addr, size, false, true) ? undefined : 'poison';
  }

  /** The shadow byte of an address's granule; of watched memory what it would be. */
  shadowAt(addr: GuestAddr): number {
    const granule = (addr >>> 0) >>> GRANULE_SHIFT;
    return this.#watched.get(granule) ?? this.shadow[granule]!;
  }

  // ---- checked accessors, for functions of ours

  readU8(addr: GuestAddr): number {
    return this.#plain(addr, 1, false) ? this.view.getUint8(addr >>> 0) : Number(this.#slowRead(addr, 1));
  }

  readU16(addr: GuestAddr): number {
    return this.#plain(addr, 2, false)
      ? this.view.getUint16(addr >>> 0, true)
      : Number(this.#slowRead(addr, 2));
  }

  readU32(addr: GuestAddr): number {
    return this.#plain(addr, 4, false)
      ? this.view.getUint32(addr >>> 0, true)
      : Number(this.#slowRead(addr, 4));
  }

  readI32(addr: GuestAddr): number {
    return this.readU32(addr) | 0;
  }

  readU64(addr: GuestAddr): bigint {
    return this.#plain(addr, 8, false) ? this.view.getBigUint64(addr >>> 0, true) : this.#slowRead(addr, 8);
  }

  readI64(addr: GuestAddr): bigint {
    return BigInt.asIntN(64, this.readU64(addr));
  }

  readPtr(addr: GuestAddr): GuestAddr {
    if (this.#plain(addr, 8, false)) {
      const at = addr >>> 0;
      return addrFromParts(this.view.getInt32(at + 4, true), this.view.getUint32(at, true));
    }
    const value = this.#slowRead(addr, 8);
    return addrFromParts(Number(value >> 32n), Number(value & 0xffff_ffffn));
  }

  writeU8(addr: GuestAddr, value: number): void {
    if (this.#plain(addr, 1, true)) this.view.setUint8(addr >>> 0, value);
    else this.#slowWrite(addr, 1, BigInt(value & 0xff));
  }

  writeU16(addr: GuestAddr, value: number): void {
    if (this.#plain(addr, 2, true)) this.view.setUint16(addr >>> 0, value, true);
    else this.#slowWrite(addr, 2, BigInt(value & 0xffff));
  }

  writeU32(addr: GuestAddr, value: number): void {
    if (this.#plain(addr, 4, true)) this.view.setUint32(addr >>> 0, value, true);
    else this.#slowWrite(addr, 4, BigInt(value >>> 0));
  }

  writeU64(addr: GuestAddr, value: bigint): void {
    if (this.#plain(addr, 8, true)) this.view.setBigUint64(addr >>> 0, value, true);
    else this.#slowWrite(addr, 8, BigInt.asUintN(64, value));
  }

  writePtr(addr: GuestAddr, value: GuestAddr): void {
    if (isCanonical(value) && this.#plain(addr, 8, true)) {
      const at = addr >>> 0;
      this.view.setUint32(at, value >>> 0, true);
      this.view.setInt32(at + 4, Math.floor(value / 2 ** 32), true);
    } else this.writeU64(addr, addrToU64(value));
  }

  /** A copy of `size` bytes. */
  readBytes(addr: GuestAddr, size: number): Uint8Array {
    if (size === 0) return new Uint8Array(0);
    if (this.#plain(addr, size, false)) return this.raw.slice(addr >>> 0, (addr >>> 0) + size);
    return Uint8Array.from({ length: size }, (_, i) => this.readU8(asAddr(addr + i)));
  }

  writeBytes(addr: GuestAddr, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#plain(addr, bytes.length, true)) this.raw.set(bytes, addr >>> 0);
    else for (let i = 0; i < bytes.length; i++) this.writeU8(asAddr(addr + i), bytes[i]!);
  }

  fill(addr: GuestAddr, value: number, size: number): void {
    if (size === 0) return;
    if (this.#plain(addr, size, true)) this.raw.fill(value, addr >>> 0, (addr >>> 0) + size);
    else for (let i = 0; i < size; i++) this.writeU8(asAddr(addr + i), value);
  }

  /** The bytes before the first NUL, at most `limit`; faults where the guest's own strlen would. */
  readCString(addr: GuestAddr, limit = Number.POSITIVE_INFINITY): Uint8Array {
    const bytes: number[] = [];
    for (let i = 0; i < limit; i++) {
      const byte = this.readU8(asAddr(addr + i));
      if (byte === 0) break;
      bytes.push(byte);
    }
    return Uint8Array.from(bytes);
  }

  /** As `readCString`, as text with one character a byte (Latin-1). */
  readString(addr: GuestAddr, limit = Number.POSITIVE_INFINITY): string {
    let text = '';
    for (const byte of this.readCString(addr, limit)) text += String.fromCharCode(byte);
    return text;
  }

  /** Whether a read of this size would be made without fault; for code that must not fault (dumps of memory). */
  canRead(addr: GuestAddr, size: number): boolean {
    const reason = this.faultReason(addr, size, 'read');
    return (reason === undefined || reason === 'poison') && !this.isSlow(addr);
  }

  /** Checks an access as translated code does and reports poison; throws `GuestAccessFault`. */
  check(addr: GuestAddr, size: number, access: Access): void {
    const reason = this.faultReason(addr, size, access);
    if (reason === 'poison') this.onPoison?.(addr, size, access);
    else if (reason !== undefined) throw new GuestAccessFault(addr, size, access, reason);
  }

  /** Completes an access to slow pages; one that reaches from one mapping into another goes byte by byte. */
  slowRead(addr: GuestAddr, size: 1 | 2 | 4 | 8): bigint {
    const mapping = this.#slowAt(addr);
    const offset = addr - mapping.start;
    if (offset + size <= mapping.size) return mapping.page.read(offset, size);
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | this.slowRead(asAddr(addr + i), 1);
    return value;
  }

  slowWrite(addr: GuestAddr, size: 1 | 2 | 4 | 8, value: bigint): void {
    const mapping = this.#slowAt(addr);
    const offset = addr - mapping.start;
    if (offset + size <= mapping.size) mapping.page.write(offset, size, value);
    else {
      for (let i = 0; i < size; i++) this.slowWrite(asAddr(addr + i), 1, (value >> BigInt(8 * i)) & 0xffn);
    }
  }

  // ---- inside

  #eachPage(addr: GuestAddr, size: number, visit: (page: number) => void): void {
    if (addr % PAGE_SIZE !== 0 || size % PAGE_SIZE !== 0 || size <= 0) {
      throw new InvariantError(`mapping of ${size} bytes at ${hex64(addr)} is not page aligned`);
    }
    if (!this.#inRegion(addr) || !this.#inRegion(addr + size - 1)) {
      throw new InvariantError(`mapping of ${size} bytes at ${hex64(addr)} is outside all regions`);
    }
    const first = (addr >>> 0) >>> PAGE_SHIFT;
    for (let i = 0; i < size / PAGE_SIZE; i++) visit(first + i);
  }

  /** Replaces one shadow value by another; a page is 512 shadow bytes, looked at four at a time. */
  #replaceShadow(addr: GuestAddr, size: number, from: number, to: number): void {
    const first = (addr >>> 0) >>> GRANULE_SHIFT;
    const words = new Int32Array(
      this.shadow.buffer,
      this.shadow.byteOffset + first,
      size >>> (GRANULE_SHIFT + 2),
    );
    const wholeFrom = (from * 0x0101_0101) | 0;
    const wholeTo = (to * 0x0101_0101) | 0;
    for (const [granule, value] of this.#watched) {
      if (value === from && granule >= first && granule < first + 4 * words.length)
        this.#watched.set(granule, to);
    }
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!;
      if (word === wholeFrom) words[i] = wholeTo;
      else if (word !== wholeTo) {
        // most of what is not of one kind is poison, which has no byte of this value
        for (let j = 4 * i; j < 4 * i + 4; j++)
          if (this.shadow[first + j] === from) this.shadow[first + j] = to;
      }
    }
  }

  #fillShadow(addr: GuestAddr, size: number, value: number): void {
    const first = (addr >>> 0) >>> GRANULE_SHIFT;
    const end = first + (size >>> GRANULE_SHIFT);
    this.shadow.fill(value, first, end);
    this.#hideWatched(first, end);
  }

  /** After the shadow of a range was set: what is watched there keeps the new values aside. */
  #hideWatched(first: number, end: number): void {
    if (this.#watched.size === 0) return;
    for (const granule of this.#watched.keys()) {
      if (granule < first || granule >= end) continue;
      this.#watched.set(granule, this.shadow[granule]!);
      this.shadow[granule] = SHADOW_NONE;
    }
  }

  #inRegion(addr: number): boolean {
    if (!(addr < 0)) return false;
    const high = this.#high[(addr >>> 0) >>> HIGH_HALVES_SHIFT]!;
    return high !== 0 && Math.floor(addr / 2 ** 32) === high;
  }

  /** True when the access can be made directly; false for slow pages; throws when it cannot be made. */
  #plain(addr: GuestAddr, size: number, write: boolean): boolean {
    if (this.#inRegion(addr) && this.#shadowAllows(addr, size, write)) return true;
    const access = write ? 'write' : 'read';
    const reason = this.faultReason(addr, size, access);
    if (reason === 'poison') {
      this.onPoison?.(addr, size, access);
      return true;
    }
    if (reason !== undefined)
      throw new GuestAccessFault(this.#firstBad(addr, size, access), size, access, reason);
    if (this.#touchesSlow(addr, size)) return false;
    if (write && this.isExecutable(addr, size)) this.onTextChange?.(addr, size);
    if (this.#touchesWatched(addr, size)) this.onWatched?.(addr, size, access);
    return true;
  }

  #touchesSlow(addr: GuestAddr, size: number): boolean {
    const last = ((addr >>> 0) + size - 1) >>> PAGE_SHIFT;
    for (let page = (addr >>> 0) >>> PAGE_SHIFT; page <= last; page++) {
      if (this.#pages[page]! & SLOW) return true;
    }
    return false;
  }

  #touchesWatched(addr: GuestAddr, size: number): boolean {
    const first = (addr >>> 0) >>> GRANULE_SHIFT;
    const last = ((addr >>> 0) + size - 1) >>> GRANULE_SHIFT;
    for (const granule of this.#watched.keys()) if (granule >= first && granule <= last) return true;
    return false;
  }

  /** The first byte of an access that cannot be made: CR2. */
  #firstBad(addr: GuestAddr, size: number, access: Access): GuestAddr {
    let at = addr;
    while (at < addr + size) {
      const reason = this.faultReason(at, 1, access);
      if (reason !== undefined && reason !== 'poison') return at;
      at = asAddr((Math.floor(at / PAGE_SIZE) + 1) * PAGE_SIZE);
    }
    return addr;
  }

  /** `apart`: permissions are judged elsewhere, and what is watched counts as what it really is. */
  #shadowAllows(addr: number, size: number, write: boolean, apart = false): boolean {
    const start = addr >>> 0;
    const last = start + size - 1;
    // what goes beyond the 4 GiB wraps nowhere
    if (last >= 2 ** 32) return false;
    const lastGranule = last >>> GRANULE_SHIFT;
    for (let granule = start >>> GRANULE_SHIFT; granule <= lastGranule; granule++) {
      let value = this.shadow[granule]!;
      if (apart && value === SHADOW_NONE) value = this.#watched.get(granule) ?? value;
      if (value === SHADOW_RW || (value > SHADOW_RW && !write)) continue;
      if (granule === lastGranule && value > 0 && value < SHADOW_RW && (last & 7) < value) continue;
      return false;
    }
    return true;
  }

  #slowRead(addr: GuestAddr, size: 1 | 2 | 4 | 8): bigint {
    if (this.#oneSlowPage(addr, size)) return this.slowRead(addr, size);
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.readU8(asAddr(addr + i)));
    return value;
  }

  #slowWrite(addr: GuestAddr, size: 1 | 2 | 4 | 8, value: bigint): void {
    if (this.#oneSlowPage(addr, size)) this.slowWrite(addr, size, value);
    else
      for (let i = 0; i < size; i++) this.writeU8(asAddr(addr + i), Number((value >> BigInt(8 * i)) & 0xffn));
  }

  #oneSlowPage(addr: GuestAddr, size: number): boolean {
    return size === 1 || (this.isSlow(addr) && this.isSlow(asAddr(addr + size - 1)));
  }

  #slowAt(addr: GuestAddr): SlowMapping {
    const mapping = this.#slow.find((s) => addr >= s.start && addr < s.start + s.size);
    if (mapping === undefined) throw new InvariantError(`no slow page at ${hex64(addr)}`);
    return mapping;
  }
}
