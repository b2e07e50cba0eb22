import { asAddr, type GuestAddr } from '../../../bytes/index.ts';
import { isalpha } from '../ctype.ts';
import { putError, putNumber, putString } from './number.ts';
import { Output } from './output.ts';
import type { PointerConversion } from './pointer.ts';

/** Address families and `struct sockaddr_in`, `sockaddr_in6`. Source: uapi linux/socket.h, linux/in.h, linux/in6.h. */
const AF_INET = 2;
const AF_INET6 = 10;
const PORT = 2;
const IN_ADDR = 4;
const IN6_FLOWINFO = 4;
const IN6_ADDR = 8;
const IN6_SCOPE_ID = 24;
const FLOWINFO_MASK = 0x0fff_ffff;

/** `%pI`, `%pi`: IPv4, IPv6 and generic socket addresses. */
export function putIp(c: PointerConversion): void {
  const { f, ptr, spec, ext } = c;
  if (f.refuses(ptr, spec)) return;
  const raw = ext(0) === 'i';
  switch (ext(1)) {
    case '4':
      putString(f.out, ipv4(f.services.memory.readBytes(ptr, 4), raw, ext(2)), spec);
      break;
    case '6': {
      const bytes = f.services.memory.readBytes(ptr, 16);
      putString(f.out, !raw && ext(2) === 'c' ? ipv6Compressed(bytes) : ipv6(bytes, raw), spec);
      break;
    }
    case 'S':
      putSocketAddress(c, raw);
      break;
    default:
      putError(f.out, raw ? '(%pi?)' : '(%pI?)', spec);
      break;
  }
}

function putSocketAddress({ f, ptr, spec, ext }: PointerConversion, raw: boolean): void {
  const { memory } = f.services;
  let letters = '';
  for (let i = 2; isalpha(ext(i).charCodeAt(0)); i++) letters += ext(i);
  // Port, flow and scope are printed with the width and flags of the whole conversion.
  const number = (value: number): string => {
    const out = new Output(64);
    putNumber(out, value, spec);
    return out.text;
  };
  const bigEndian16 = (addr: GuestAddr): number =>
    (memory.readU8(addr) << 8) | memory.readU8(asAddr(addr + 1));
  const family = memory.readU16(ptr);
  if (family === AF_INET) {
    const order = [...letters].findLast((letter) => 'hlnb'.includes(letter)) ?? '';
    let text = ipv4(memory.readBytes(asAddr(ptr + IN_ADDR), 4), raw, order);
    if (letters.includes('p')) text += `:${number(bigEndian16(asAddr(ptr + PORT)))}`;
    putString(f.out, text, spec);
    return;
  }
  if (family !== AF_INET6) {
    putError(f.out, '(einval)', spec);
    return;
  }
  const bytes = memory.readBytes(asAddr(ptr + IN6_ADDR), 16);
  let text = !raw && letters.includes('c') ? ipv6Compressed(bytes) : ipv6(bytes, raw);
  if (/[pfs]/.test(letters)) text = `[${text}]`;
  if (letters.includes('p')) text += `:${number(bigEndian16(asAddr(ptr + PORT)))}`;
  if (letters.includes('f')) {
    const flow = asAddr(ptr + IN6_FLOWINFO);
    const value = bigEndian16(flow) * 0x1_0000 + bigEndian16(asAddr(flow + 2));
    text += `/${number(value & FLOWINFO_MASK)}`;
  }
  if (letters.includes('s')) text += `%${number(memory.readU32(asAddr(ptr + IN6_SCOPE_ID)))}`;
  putString(f.out, text, spec);
}

/** Dotted decimal; `order` `h` and `l` read the bytes from the end, `raw` gives every part three digits. */
function ipv4(bytes: Uint8Array, raw: boolean, order: string): string {
  const parts = Array.from(bytes, (byte) => (raw ? `${byte}`.padStart(3, '0') : `${byte}`));
  if (order === 'h' || order === 'l') parts.reverse();
  return parts.join('.');
}

function words(bytes: Uint8Array): number[] {
  return Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
}

function ipv6(bytes: Uint8Array, raw: boolean): string {
  return words(bytes)
    .map((word) => word.toString(16).padStart(4, '0'))
    .join(raw ? '' : ':');
}

/** RFC 5952: the longest run of zero words becomes `::`; mapped and ISATAP addresses end in IPv4 form. */
function ipv6Compressed(bytes: Uint8Array): string {
  const all = words(bytes);
  const mapped = all.slice(0, 5).every((word) => word === 0) && all[5] === 0xffff;
  const isatap = (all[4]! | 0x0200) === 0x0200 && all[5] === 0x5efe;
  const embedded = mapped || isatap;
  const count = embedded ? 6 : 8;
  let longest = 1;
  let gap = -1;
  for (let i = 0; i < count; i++) {
    let run = 0;
    while (i + run < count && all[i + run] === 0) run++;
    if (run > longest) {
      longest = run;
      gap = i;
    }
  }
  let text = '';
  let colon = false;
  for (let i = 0; i < count; i++) {
    if (i === gap) {
      text += colon || i === 0 ? '::' : ':';
      colon = false;
      i += longest - 1;
      continue;
    }
    text += `${colon ? ':' : ''}${all[i]!.toString(16)}`;
    colon = true;
  }
  return embedded ? `${text}${colon ? ':' : ''}${ipv4(bytes.subarray(12), false, '')}` : text;
}
