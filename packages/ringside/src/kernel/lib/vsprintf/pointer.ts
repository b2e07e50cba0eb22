import { addrToU64, asAddr, type GuestAddr, UnsupportedError } from '../../../bytes/index.ts';

import { errname } from '../errname.ts';
import { siphash1u64 } from '../siphash.ts';
import { ESCAPE_ANY_NP, escapeFlags, stringEscape } from '../string-escape.ts';
import type { FormatSpec } from './format-spec.ts';
import { putError, putNumber, putPadded, putSpecialHex, putString } from './number.ts';
import { putBitmap, putBitmapList, putHexString, putMac, putUuid } from './pointer-bytes.ts';
import { putFlags } from './pointer-flags.ts';
import { putIp } from './pointer-ip.ts';
import { putBlockDevice, putClock, putDentry, putFile, putResource } from './pointer-objects.ts';
import { putTime } from './pointer-time.ts';
import { type Formatter, isErrorPointer } from './vsprintf.ts';

/** A conversion of `%p`: the extension's letters begin at `fmt[at]`. */
export interface PointerConversion {
  readonly f: Formatter;
  readonly ptr: GuestAddr;
  readonly spec: FormatSpec;
  /** The extension's character at an index; NUL behind the end. `ext(0)` is the letter right after `%p`. */
  ext(index: number): string;
}

/** `%p` and everything that may follow it. */
export function putPointer(f: Formatter, fmt: string, at: number, ptr: GuestAddr, spec: FormatSpec): void {
  const ext = (index: number): string => fmt[at + index] ?? '\0';
  const c: PointerConversion = { f, ptr, spec, ext };
  switch (ext(0)) {
    case 'S':
    case 's':
    case 'B':
      putSymbol(c);
      break;
    case 'R':
    case 'r':
      putResource(c);
      break;
    case 'h':
      putHexString(c);
      break;
    case 'b':
      if (ext(1) === 'l') putBitmapList(c);
      else putBitmap(c);
      break;
    case 'M':
    case 'm':
      putMac(c);
      break;
    case 'I':
    case 'i':
      putIp(c);
      break;
    case 'E':
      putEscaped(c);
      break;
    case 'U':
      putUuid(c);
      break;
    case 'V':
      f.nested(ptr, spec);
      break;
    case 'K':
      putRestricted(c);
      break;
    case 'N':
      putNetdevFeatures(c);
      break;
    case '4':
      putFourcc(c);
      break;
    case 'a':
      putAddressValue(c);
      break;
    case 'd':
      putDentry(c, ptr);
      break;
    case 'D':
      putFile(c);
      break;
    case 't':
      putTime(c);
      break;
    case 'C':
      putClock(c);
      break;
    case 'g':
      putBlockDevice(c);
      break;
    case 'G':
      putFlags(c);
      break;
    case 'O':
      // Deviation: as on a kernel without CONFIG_OF, which x86 distributions are.
      putError(f.out, ext(1) === 'F' ? '(%pOF?)' : '(%pO?)', spec);
      break;
    case 'f':
      putFirmwareNode(c);
      break;
    case 'A':
      f.services.warnOnce('pointer', 'Please remove %pA from non-Rust code\n');
      putError(f.out, '(%pA?)', spec);
      break;
    case 'x':
      putRaw(c, addrToU64(ptr));
      break;
    case 'e':
      if (isErrorPointer(ptr)) putErrorName(c);
      else putDefault(c);
      break;
    case 'u':
    case 'k':
      if (ext(1) === 's') f.string(ptr, spec);
      else putError(f.out, '(einval)', spec);
      break;
    default:
      putDefault(c);
      break;
  }
}

/** The value in hexadecimal, 16 digits unless a width is given. */
function putRaw({ f, spec }: PointerConversion, value: bigint): void {
  const wide = spec.width === -1 ? { width: 16, zero: true } : {};
  putNumber(f.out, value, { ...spec, base: 16, small: true, ...wide });
}

/** Plain `%p`: a hash that is the same for the same pointer; NULL and error pointers as they are. */
function putDefault(c: PointerConversion): void {
  const { f, ptr, spec } = c;
  if (ptr === 0 || isErrorPointer(ptr) || f.services.noHashPointers) {
    putRaw(c, addrToU64(ptr));
    return;
  }
  const key = f.services.pointerKey();
  if (key === undefined) {
    putError(f.out, '(____ptrval____)', { ...spec, width: 16 });
    return;
  }
  putRaw(c, siphash1u64(addrToU64(ptr), key) & 0xffff_ffffn);
}

/** `%pK`: as `sysctl kernel.kptr_restrict` says. */
function putRestricted(c: PointerConversion): void {
  const verdict = c.f.services.restrictedPointer?.() ?? 'hash';
  switch (verdict) {
    case 'hash':
      putDefault(c);
      break;
    case 'show':
      putRaw(c, addrToU64(c.ptr));
      break;
    case 'hide':
      putRaw(c, 0n);
      break;
    case 'irq':
      putError(c.f.out, 'pK-error', c.spec.width === -1 ? { ...c.spec, width: 16 } : c.spec);
      break;
  }
}

function putErrorName({ f, ptr, spec }: PointerConversion): void {
  const name = errname(ptr);
  if (name !== undefined) putString(f.out, `-${name}`, spec);
  else putNumber(f.out, ptr as number, { ...spec, base: 10, signed: true });
}

function putSymbol({ f, ptr, spec, ext }: PointerConversion): void {
  const backtrace = ext(0) === 'B';
  const buildId = ext(1) === 'b' || (ext(0) === 'S' && ext(1) === 'R' && ext(2) === 'b');
  putString(f.out, f.services.symbol(ptr, { offset: ext(0) !== 's', backtrace, buildId }), spec);
}

function putEscaped({ f, ptr, spec, ext }: PointerConversion): void {
  if (spec.width === 0 || f.refuses(ptr, spec)) return;
  let letters = '';
  for (let i = 1; 'achnops'.includes(ext(i)); i++) letters += ext(i);
  const bytes = f.services.memory.readBytes(ptr, spec.width < 0 ? 1 : spec.width);
  f.out.put(stringEscape(bytes, escapeFlags(letters) || ESCAPE_ANY_NP, ''));
}

function putNetdevFeatures({ f, ptr, spec, ext }: PointerConversion): void {
  if (f.refuses(ptr, spec)) return;
  if (ext(1) !== 'F') {
    putError(f.out, '(%pN?)', spec);
    return;
  }
  putSpecialHex(f.out, f.services.memory.readU64(ptr), 8);
}

/** `%pa`: a physical or DMA address, passed by reference; both have 8 bytes on x86-64. */
function putAddressValue({ f, ptr, spec }: PointerConversion): void {
  if (f.refuses(ptr, spec)) return;
  putSpecialHex(f.out, f.services.memory.readU64(ptr), 8);
}

function putFourcc({ f, ptr, spec, ext }: PointerConversion): void {
  if (ext(1) !== 'c' || ext(2) !== 'c') {
    putError(f.out, '(%p4?)', spec);
    return;
  }
  if (f.refuses(ptr, spec)) return;
  const code = f.services.memory.readU32(ptr);
  let text = '';
  for (let shift = 0; shift < 32; shift += 8) {
    const byte = ((code & 0x7fff_ffff) >>> shift) & 0xff;
    text += byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : '.';
  }
  const order = code >>> 31 ? 'big-endian' : 'little-endian';
  putString(f.out, `${text} ${order} (0x${code.toString(16).padStart(8, '0')})`, spec);
}

/** `%pfw`: needs the node's own operations, which are functions of the guest. */
function putFirmwareNode({ f, ptr, spec, ext }: PointerConversion): void {
  if (ext(1) !== 'w') {
    putError(f.out, '(%pf?)', spec);
    return;
  }
  if (f.refuses(ptr, spec)) return;
  throw new UnsupportedError({ what: '%pfw (firmware nodes)', advice: 'Ringside has no firmware nodes yet' });
}

/** Text that is padded to the width but not cut by the precision. */
export function putWidened(c: PointerConversion, text: string): void {
  putPadded(c.f.out, text, c.spec);
}

/** A pointer field of a struct in guest memory. */
export function pointerField(c: PointerConversion, struct: string, base: GuestAddr, path: string): GuestAddr {
  const { memory, types } = c.f.services;
  return memory.readPtr(asAddr(base + types.struct(struct).offsetOf(path)));
}
