import { asAddr, type GuestAddr, NULL } from '../../../bytes/index.ts';
import { isdigit } from '../ctype.ts';
import { spec as makeSpec } from './format-spec.ts';
import { putNumber, putString } from './number.ts';
import { Output } from './output.ts';
import { type PointerConversion, pointerField, putWidened } from './pointer.ts';

/** `struct resource` flags. Source: Linux 6.1 include/linux/ioport.h. */
const IORESOURCE_IO = 0x100n;
const IORESOURCE_MEM = 0x200n;
const IORESOURCE_IRQ = 0x400n;
const IORESOURCE_DMA = 0x800n;
const IORESOURCE_BUS = 0x1000n;
const IORESOURCE_UNSET = 0x2000_0000n;
const DETAILS: readonly (readonly [bigint, string])[] = [
  [0x0010_0000n, ' 64bit'],
  [0x0000_2000n, ' pref'],
  [0x0020_0000n, ' window'],
  [0x1000_0000n, ' disabled'],
];

const HEX = { base: 16, small: true, zero: true } as const;
const DECIMAL = makeSpec();
const IO_ADDRESS = makeSpec({ ...HEX, special: true, width: 6 });
const MEM_ADDRESS = makeSpec({ ...HEX, special: true, width: 10 });
const BUS_NUMBER = makeSpec({ ...HEX, width: 2 });
const TYPES = [
  [IORESOURCE_IO, 'io ', IO_ADDRESS],
  [IORESOURCE_MEM, 'mem', MEM_ADDRESS],
  [IORESOURCE_IRQ, 'irq', DECIMAL],
  [IORESOURCE_DMA, 'dma', DECIMAL],
  [IORESOURCE_BUS, 'bus', BUS_NUMBER],
] as const;

/** `%pR` with decoded flags, `%pr` with the raw value. */
export function putResource({ f, ptr, spec, ext }: PointerConversion): void {
  if (f.refuses(ptr, spec)) return;
  const { memory, types } = f.services;
  const layout = types.struct('resource');
  const start = memory.readU64(asAddr(ptr + layout.offsetOf('start')));
  const end = memory.readU64(asAddr(ptr + layout.offsetOf('end')));
  const flags = memory.readU64(asAddr(ptr + layout.offsetOf('flags')));
  const type = TYPES.find(([mask]) => flags & mask);
  const [, name, address] = type ?? [0n, '???', MEM_ADDRESS];
  const decode = type !== undefined && ext(0) === 'R';

  const out = new Output(256);
  out.put(`[${name} `);
  if (decode && flags & IORESOURCE_UNSET) {
    out.put('size ');
    putNumber(out, BigInt.asUintN(64, end - start + 1n), address);
  } else {
    putNumber(out, start, address);
    if (start !== end) {
      out.put('-');
      putNumber(out, end, address);
    }
  }
  if (decode) for (const [mask, text] of DETAILS) out.put(flags & mask ? text : '');
  else out.put(` flags 0x${flags.toString(16)}`);
  out.put(']');
  putString(f.out, out.text, spec);
}

/** `%pd[234]`: a dentry's name, with up to three of its parents. */
export function putDentry(c: PointerConversion, dentry: GuestAddr): void {
  const { f, spec, ext } = c;
  const depth = '234'.includes(ext(1)) ? Number(ext(1)) : 1;
  const names: string[] = [];
  let at = dentry;
  for (let i = 0; i < depth; i++) {
    if (f.refuses(at, spec)) return;
    const parent = pointerField(c, 'dentry', at, 'd_parent');
    const name = f.services.memory.readString(pointerField(c, 'dentry', at, 'd_name.name'));
    const isRoot = parent === at;
    names.unshift(isRoot && i > 0 ? '' : name);
    if (isRoot) break;
    at = parent;
  }
  const path = names.join('/');
  putWidened(c, spec.precision >= 0 ? path.slice(0, spec.precision) : path);
}

/** `%pD[234]`: the same for a `struct file`. */
export function putFile(c: PointerConversion): void {
  if (c.f.refuses(c.ptr, c.spec)) return;
  putDentry(c, pointerField(c, 'file', c.ptr, 'f_path.dentry'));
}

/** `%pg`: the disk's name and the partition's number. */
export function putBlockDevice(c: PointerConversion): void {
  const { f, ptr, spec } = c;
  if (f.refuses(ptr, spec)) return;
  const { memory, types } = f.services;
  const disk = pointerField(c, 'block_device', ptr, 'bd_disk');
  const name = asAddr(disk + types.struct('gendisk').offsetOf('disk_name'));
  f.string(name, spec);
  const partition = memory.readU8(asAddr(ptr + types.struct('block_device').offsetOf('bd_partno')));
  if (partition === 0) return;
  if (isdigit(memory.readString(name).charCodeAt(memory.readString(name).length - 1))) f.out.put('p');
  putNumber(f.out, partition, spec);
}

/** `%pC`: the name of a clock of the common clock framework. */
export function putClock(c: PointerConversion): void {
  const { f, ptr, spec } = c;
  if (f.refuses(ptr, spec)) return;
  const core = pointerField(c, 'clk', ptr, 'core');
  f.string(core === NULL ? NULL : pointerField(c, 'clk_core', core, 'name'), spec);
}
