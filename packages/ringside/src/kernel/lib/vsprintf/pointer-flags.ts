import { spec as makeSpec } from './format-spec.ts';
import { putError, putNumber } from './number.ts';
import { Output } from './output.ts';
import type { PointerConversion } from './pointer.ts';
import type { FlagName } from './services.ts';

/** `%pG[pgv]`: flags of a page, an allocation or a mapping, by name; passed by reference. */
export function putFlags({ f, ptr, spec, ext }: PointerConversion): void {
  if (f.refuses(ptr, spec)) return;
  const { memory } = f.services;
  switch (ext(1)) {
    case 'p':
      f.out.put(pageFlags(memory.readU64(ptr), f.services.flags()));
      break;
    case 'v':
      f.out.put(flagNames(memory.readU64(ptr), f.services.flags().vma));
      break;
    case 'g':
      f.out.put(flagNames(BigInt(memory.readU32(ptr)), f.services.flags().gfp));
      break;
    default:
      putError(f.out, '(%pG?)', spec);
      break;
  }
}

/** Names joined with `|`; bits without a name as one number at the end. */
function flagNames(value: bigint, names: readonly FlagName[]): string {
  let rest = value;
  const parts: string[] = [];
  for (const { mask, name } of names) {
    if (rest === 0n) break;
    if ((rest & mask) !== mask) continue;
    parts.push(name);
    rest &= ~mask;
  }
  if (rest !== 0n) parts.push(`0x${rest.toString(16)}`);
  return parts.join('|');
}

function pageFlags(value: bigint, tables: ReturnType<PointerConversion['f']['services']['flags']>): string {
  const main = value & ((1n << BigInt(tables.pageFlagBits)) - 1n);
  const parts = main === 0n ? [] : [flagNames(main, tables.page)];
  for (const field of tables.pageFields) {
    if (field.width === 0) continue;
    const number = (value >> BigInt(field.shift)) & ((1n << BigInt(field.width)) - 1n);
    const out = new Output(32);
    putNumber(out, number, field.hex ? makeSpec({ base: 16, special: true, small: true }) : makeSpec());
    parts.push(`${field.name}=${out.text}`);
  }
  const out = new Output(32);
  putNumber(out, value, makeSpec({ base: 16, special: true, small: true }));
  return `${out.text}(${parts.join('|')})`;
}
