import { ERRNO, LOGLEVEL } from '../../abi/index.ts';
import {
  EHDR_SIZE,
  EM_X86_64,
  ET_REL,
  SHDR_SIZE,
  SHF_ALLOC,
  SHN_UNDEF,
  SHT_NOBITS,
  SHT_NULL,
  SHT_SYMTAB,
} from '../../elf/index.ts';
import type { LoadInfo } from './load-info.ts';

/**
 * The checks of the ELF header and the section headers, and nothing more: what they let through is only as safe
 * as the later steps make it. 0 or a negative errno. Source: kernel/module/main.c, elf_validity_check.
 */
export function elfValidityCheck(info: LoadInfo): number {
  const refuse = (text: string): number => {
    info.host.printk(LOGLEVEL.LOGLEVEL_ERR, text);
    return -ERRNO.ENOEXEC;
  };
  const { elf } = info;
  const header = elf.header;
  const length = info.bytes.length;
  if (header === undefined || length < EHDR_SIZE) return refuse(`Invalid ELF header len ${length}`);
  if (!elf.hasMagic) return refuse('Invalid ELF header magic: != \x7fELF');
  if (header.type !== ET_REL) return refuse(`Invalid ELF header type: ${header.type} != ${ET_REL}`);
  // elf_check_arch looks at the machine only: class and byte order are not checked
  if (header.machine !== EM_X86_64) {
    return refuse(`Invalid architecture in ELF header: ${header.machine}`);
  }
  if (header.shentsize !== SHDR_SIZE) return refuse('Invalid ELF section header size');
  if (header.shoff >= length || header.shnum * SHDR_SIZE > length - header.shoff) {
    return refuse('Invalid ELF section header overflow');
  }
  const { shstrndx, shnum } = header;
  if (shstrndx === SHN_UNDEF || shstrndx >= shnum) {
    return refuse(
      `Invalid ELF section name index: ${shstrndx} || e_shstrndx (${shstrndx}) >= e_shnum (${shnum})`,
    );
  }
  const sections = Array.from({ length: shnum }, (_, i) => elf.sectionHeader(i)!);
  const names = sections[shstrndx]!;
  if (!elf.inFile(names.offset, names.size)) {
    return refuse(`Invalid ELF section hdr(type ${names.type})`);
  }
  if (names.size === 0) return refuse('empty section name table');
  if (info.bytes[names.offset + names.size - 1] !== 0) {
    return refuse("ELF Spec violation: section name table isn't null terminated");
  }
  const first = sections[0]!;
  if (first.type !== SHT_NULL || first.size !== 0 || first.addr !== 0) {
    return refuse(`ELF Spec violation: section 0 type(${first.type | 0})!=SH_NULL or non-zero len or addr`);
  }
  for (const section of sections.slice(1)) {
    if (section.type === SHT_NULL || section.type === SHT_NOBITS) continue;
    if (section.type === SHT_SYMTAB && (section.link === SHN_UNDEF || section.link >= shnum)) {
      const link = section.link | 0;
      return refuse(`Invalid ELF sh_link!=SHN_UNDEF(${link}) or (sh_link(${link}) >= hdr->e_shnum(${shnum})`);
    }
    if (!elf.inFile(section.offset, section.size)) {
      return refuse(`Invalid ELF section in module (section ${section.index} type ${section.type})`);
    }
    if (section.flags & SHF_ALLOC && section.nameOffset >= names.size) {
      return refuse(`Invalid ELF section name in module (section ${section.index} type ${section.type})`);
    }
  }
  info.secstrings = names.offset;
  info.sections = sections.map((s) => ({
    index: s.index,
    type: s.type,
    flags: s.flags,
    offset: s.offset,
    size: s.size,
    link: s.link,
    info: s.info,
    addralign: s.addralign,
    place: undefined,
    addr: undefined,
  }));
  return 0;
}
