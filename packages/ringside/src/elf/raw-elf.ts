import { addrFromParts, type GuestAddr } from '../bytes/index.ts';
import { EHDR_SIZE, SHDR_SIZE, SHT_NOBITS } from './constants.ts';

/** The fields of `Elf64_Ehdr` as they stand in the file, right or wrong. Sizes and offsets in bytes. */
export interface RawElfHeader {
  /** The 16 bytes of `e_ident`. */
  readonly ident: Uint8Array;
  readonly type: number;
  readonly machine: number;
  readonly version: number;
  readonly entry: GuestAddr;
  readonly phoff: number;
  readonly shoff: number;
  readonly flags: number;
  readonly ehsize: number;
  readonly phentsize: number;
  readonly phnum: number;
  readonly shentsize: number;
  readonly shnum: number;
  readonly shstrndx: number;
}

/** The fields of `Elf64_Shdr` as they stand in the file, right or wrong. */
export interface RawSectionHeader {
  readonly index: number;
  /** Offset of the name in the section-header string table. */
  readonly nameOffset: number;
  readonly type: number;
  /** The low 32 bits of `sh_flags`; everything Linux and the psABI define is there. */
  readonly flags: number;
  readonly addr: GuestAddr;
  /** `sh_offset`. A value above 2^53 is rounded, which no comparison with a file's size can notice. */
  readonly offset: number;
  /** `sh_size`, rounded likewise. */
  readonly size: number;
  readonly link: number;
  readonly info: number;
  /** `sh_addralign`, rounded likewise. */
  readonly addralign: number;
  readonly entsize: number;
}

const TWO_32 = 0x1_0000_0000;
const latin1 = new TextDecoder('latin1');

/**
 * ELF without judgement: header fields and section headers of any bytes, and the bounds checks as predicates.
 * Nothing here throws, so that a loader can make the kernel's checks in the kernel's order and answer with the
 * kernel's errnos. `ElfFile` is the strict reader.
 */
export class RawElf {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #header: RawElfHeader | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The ELF header, or undefined when the file is shorter than one (64 bytes). */
  get header(): RawElfHeader | undefined {
    if (this.#header === undefined && this.bytes.length >= EHDR_SIZE) {
      const view = this.#view;
      this.#header = {
        ident: this.bytes.subarray(0, 16),
        type: view.getUint16(16, true),
        machine: view.getUint16(18, true),
        version: view.getUint32(20, true),
        entry: this.#address(24),
        phoff: this.#size(32),
        shoff: this.#size(40),
        flags: view.getUint32(48, true),
        ehsize: view.getUint16(52, true),
        phentsize: view.getUint16(54, true),
        phnum: view.getUint16(56, true),
        shentsize: view.getUint16(58, true),
        shnum: view.getUint16(60, true),
        shstrndx: view.getUint16(62, true),
      };
    }
    return this.#header;
  }

  /** Whether the first four bytes are `\x7fELF`. */
  get hasMagic(): boolean {
    const { bytes } = this;
    return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
  }

  /** Whether `[offset, offset + size)` lies within the file. False for sums that overflow 64 bits too. */
  inFile(offset: number, size: number): boolean {
    return offset >= 0 && size >= 0 && offset + size <= this.bytes.length;
  }

  /** Whether the table of `shnum` section headers at `shoff` lies within the file. */
  get sectionHeadersInFile(): boolean {
    const header = this.header;
    return header !== undefined && this.inFile(header.shoff, header.shnum * SHDR_SIZE);
  }

  /** Section header `index`, or undefined when its 64 bytes are not all in the file. `shnum` is not consulted. */
  sectionHeader(index: number): RawSectionHeader | undefined {
    const header = this.header;
    if (header === undefined) return undefined;
    const at = header.shoff + index * SHDR_SIZE;
    if (!this.inFile(at, SHDR_SIZE)) return undefined;
    const view = this.#view;
    return {
      index,
      nameOffset: view.getUint32(at, true),
      type: view.getUint32(at + 4, true),
      flags: view.getUint32(at + 8, true),
      addr: this.#address(at + 16),
      offset: this.#size(at + 24),
      size: this.#size(at + 32),
      link: view.getUint32(at + 40, true),
      info: view.getUint32(at + 44, true),
      addralign: this.#size(at + 48),
      entsize: this.#size(at + 56),
    };
  }

  /** Whether the section's bytes lie within the file. A NOBITS section has none and is always inside. */
  sectionInFile(section: RawSectionHeader): boolean {
    return section.type === SHT_NOBITS || this.inFile(section.offset, section.size);
  }

  /** The bytes of `[offset, offset + size)`, a view; undefined when not all of them are in the file. */
  slice(offset: number, size: number): Uint8Array | undefined {
    return this.inFile(offset, size) ? this.bytes.subarray(offset, offset + size) : undefined;
  }

  /** The NUL-terminated string at `offset` of the file that ends before `limit`; undefined when there is none. */
  cString(offset: number, limit = this.bytes.length): string | undefined {
    if (!(offset >= 0 && offset < limit)) return undefined;
    const end = this.bytes.indexOf(0, offset);
    return end < 0 || end >= limit ? undefined : latin1.decode(this.bytes.subarray(offset, end));
  }

  #size(offset: number): number {
    return this.#view.getUint32(offset + 4, true) * TWO_32 + this.#view.getUint32(offset, true);
  }

  #address(offset: number): GuestAddr {
    return addrFromParts(this.#view.getUint32(offset + 4, true), this.#view.getUint32(offset, true));
  }
}
