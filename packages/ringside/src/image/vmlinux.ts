import { asAddr, ByteReader, FormatError, type GuestAddr, hex64 } from '../bytes/index.ts';
import { ElfFile, type ElfSection } from '../elf/index.ts';
import type { ImageSection } from './kernel-spec.ts';

const SHF_ALLOC = 2;
const SHT_NOBITS = 8;
const PER_CPU_SECTION = '.data..percpu';

/** A kernel's ELF file, read by address. Needs section headers, which `strip` and `objcopy -S` keep. */
export class Vmlinux {
  readonly elf: ElfFile;
  readonly sections: readonly ImageSection[];
  readonly #loaded: readonly ElfSection[];

  constructor(bytes: Uint8Array) {
    this.elf = new ElfFile(bytes);
    const allocated = this.elf.sections.filter(({ flags }) => (Number(flags) & SHF_ALLOC) !== 0);
    if (allocated.length === 0)
      throw new FormatError('not a kernel: the ELF file has no section that is loaded');
    this.#loaded = allocated.filter(({ type, name }) => type !== SHT_NOBITS && name !== PER_CPU_SECTION);
    this.sections = allocated.map(({ name, addr, size, offset }) => ({ name, address: addr, size, offset }));
  }

  section(name: string): ElfSection | undefined {
    return this.elf.section(name);
  }

  /** A reader over a section's bytes. Throws `FormatError` when the image has none of that name. */
  reader(name: string): ByteReader {
    const section = this.elf.section(name);
    if (section === undefined) throw new FormatError(`not a complete kernel: it has no section ${name}`);
    return this.elf.reader(section);
  }

  /** `size` bytes at a link address, a view; without `size`, up to the end of the section. */
  at(address: GuestAddr, size?: number): Uint8Array {
    for (const section of this.#loaded) {
      const offset = address - section.addr;
      if (offset >= 0 && offset < section.size) {
        return new ByteReader(this.elf.data(section), section.name).slice(
          offset,
          size ?? section.size - offset,
        );
      }
    }
    throw new FormatError(`no section of the kernel has bytes at ${hex64(address)}`);
  }

  /** The bytes from `start` to `end`, which must lie in one section. */
  range(start: GuestAddr, end: GuestAddr): Uint8Array {
    if (end < start)
      throw new FormatError(`kernel range ${hex64(start)}-${hex64(end)} ends before it starts`);
    return start === end ? new Uint8Array(0) : this.at(start, end - start);
  }

  /** Link address of an offset in a section. */
  addressIn(section: string, offset: number): GuestAddr {
    const found = this.elf.section(section);
    if (found === undefined) throw new FormatError(`not a complete kernel: it has no section ${section}`);
    return asAddr(found.addr + offset);
  }
}
