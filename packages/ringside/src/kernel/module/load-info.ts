import { FormatError, type GuestAddr } from '../../bytes/index.ts';
import { RawElf, SHF_ALLOC, SHN_UNDEF, SYM_SIZE } from '../../elf/index.ts';
import type { ModuleHost } from './host.ts';
import type { ModuleStructs } from './module-struct.ts';

/** A section header as loading goes on: flags change, and a place in the module's memory is found. */
export interface LoadSection {
  readonly index: number;
  readonly type: number;
  flags: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly addralign: number;
  /** Offset in the core or init area, once laid out (what Linux keeps in `sh_entsize`). */
  place: { readonly init: boolean; readonly offset: number } | undefined;
  /** Address in guest memory, once moved there. */
  addr: GuestAddr | undefined;
}

/**
 * `struct load_info`: the file and what is known of it while it is loaded. Bytes outside the file are never
 * read: where the real kernel would read what lies behind its copy, a `FormatError` is thrown.
 */
export class LoadInfo {
  readonly host: ModuleHost;
  readonly structs: ModuleStructs;
  /** The module without its signature, if it had one. */
  bytes: Uint8Array;
  elf: RawElf;
  sections: LoadSection[] = [];
  /** File offset of the section names. */
  secstrings = 0;
  /** File offset of the symbol names. */
  strtab = 0;
  name = '';
  sigOk = false;
  /** Taints collected before the module has its own memory. */
  taints = 0;
  klp = false;
  readonly index = { sym: 0, str: 0, mod: 0, vers: 0, info: 0, pcpu: 0 };
  /** Offsets in the areas that layout_symtab chose. */
  symoffs = 0;
  stroffs = 0;
  coreTypeoffs = 0;
  kallsymsInitOff = 0;
  initTypeoffs = 0;
  readonly core = { size: 0, textSize: 0, roSize: 0, roAfterInitSize: 0 };
  readonly init = { size: 0, textSize: 0, roSize: 0, roAfterInitSize: 0 };

  constructor(host: ModuleHost, structs: ModuleStructs, bytes: Uint8Array) {
    this.host = host;
    this.structs = structs;
    this.bytes = bytes;
    this.elf = new RawElf(bytes);
  }

  /** Drops the signature: only the first `size` bytes are the module. */
  truncate(size: number): void {
    this.bytes = this.bytes.subarray(0, size);
    this.elf = new RawElf(this.bytes);
  }

  get shnum(): number {
    return this.sections.length;
  }

  /** The NUL-terminated string at a file offset. */
  string(offset: number, what: string): string {
    const text = this.elf.cString(offset);
    if (text === undefined) {
      throw new FormatError(`${what} lies outside the file`, { offset });
    }
    return text;
  }

  sectionName(section: LoadSection): string {
    const header = this.elf.sectionHeader(section.index)!;
    return this.string(this.secstrings + header.nameOffset, `the name of section ${section.index}`);
  }

  symbolName(nameOffset: number): string {
    return this.string(this.strtab + nameOffset, 'the name of a symbol');
  }

  /** `find_sec`: the first section of this name that is loaded; 0 for none. */
  findSec(name: string): number {
    return this.#find(name, true);
  }

  /** `find_any_sec`: also one that is not loaded. */
  findAnySec(name: string): number {
    return this.#find(name, false);
  }

  section(index: number): LoadSection {
    const section = this.sections[index];
    if (section === undefined) throw new FormatError(`section ${index} does not exist`);
    return section;
  }

  /** A section's bytes in the file. */
  data(section: LoadSection): Uint8Array {
    const bytes = this.elf.slice(section.offset, section.size);
    if (bytes === undefined) {
      throw new FormatError(`section ${section.index} is not in the file`, { offset: section.offset });
    }
    return bytes;
  }

  /** Number of symbols in the symbol table. */
  get symbolCount(): number {
    return Math.floor(this.section(this.index.sym).size / SYM_SIZE);
  }

  #find(name: string, loadedOnly: boolean): number {
    for (let i = 1; i < this.sections.length; i++) {
      const section = this.sections[i]!;
      if (loadedOnly && !(section.flags & SHF_ALLOC)) continue;
      if (this.sectionName(section) === name) return i;
    }
    return SHN_UNDEF;
  }
}
