import type { GuestAddr } from '../bytes/index.ts';
import type { ElfFile, ElfNote, ElfSection } from '../elf/index.ts';

/**
 * What a relocated field of a module's table points to: the answer before anything has an address.
 * `symbol` is the name the relocation used (empty for section symbols).
 */
export type ModuleLocation =
  /** `offset` bytes into a section of this module. */
  | {
      readonly kind: 'section';
      readonly section: ElfSection;
      readonly offset: number;
      readonly symbol: string;
    }
  /** `addend` bytes past a symbol that the kernel or another module exports. */
  | { readonly kind: 'import'; readonly symbol: string; readonly addend: number; readonly weak: boolean }
  /** A fixed number (`SHN_ABS`). */
  | { readonly kind: 'absolute'; readonly value: GuestAddr; readonly symbol: string };

/** Where an entry of a table stands: its offset in bytes within the table's section. */
export interface TableEntry {
  readonly at: number;
}

/** One `key=value` string of `.modinfo`. A string without `=` stands whole in `key` and has no value. */
export interface ModinfoEntry {
  readonly key: string;
  readonly value: string | undefined;
  /** Offset of the string within `.modinfo`. */
  readonly at: number;
}

/** One entry of `__versions`: the CRC the module was compiled against. */
export interface SymbolVersion extends TableEntry {
  readonly name: string;
  readonly crc: number;
}

/** One `struct kernel_param` of `__param`. */
export interface ModuleParam extends TableEntry {
  readonly name: string;
  readonly mod: ModuleLocation | undefined;
  /** The `struct kernel_param_ops`, e.g. `param_ops_int`. */
  readonly ops: ModuleLocation | undefined;
  /** Mode of the sysfs file, 0 for none. */
  readonly perm: number;
  readonly level: number;
  /** `KERNEL_PARAM_FL_*` */
  readonly flags: number;
  /** The variable, or its `kparam_string` or `kparam_array`. */
  readonly arg: ModuleLocation | undefined;
}

/** One symbol the module exports. */
export interface ModuleExport extends TableEntry {
  readonly name: string;
  readonly gplOnly: boolean;
  /** Empty for none. */
  readonly namespace: string;
  readonly crc: number | undefined;
  readonly value: ModuleLocation;
}

/** One `struct orc_entry` with the text address it begins at. */
export interface OrcEntry extends TableEntry {
  readonly ip: ModuleLocation;
  readonly spOffset: number;
  readonly bpOffset: number;
  /** `ORC_REG_*` */
  readonly spReg: number;
  readonly bpReg: number;
  /** `UNWIND_HINT_TYPE_*` */
  readonly type: number;
  readonly end: boolean;
}

/** One `struct exception_table_entry`. */
export interface ExceptionEntry extends TableEntry {
  readonly insn: ModuleLocation;
  readonly fixup: ModuleLocation;
  /** The whole `data` word as stored: `EX_TYPE_*` in the low byte, register, flags and immediate above. */
  readonly data: number;
  /** `EX_TYPE_*` */
  readonly type: number;
}

/** One `struct bug_entry`. */
export interface BugEntry extends TableEntry {
  readonly addr: ModuleLocation;
  /** Where the file name stands, and the name itself when it can be read from the file. */
  readonly file: ModuleLocation | undefined;
  readonly fileName: string | undefined;
  readonly line: number;
  /** `BUGFLAG_*` */
  readonly flags: number;
}

/** One `struct jump_entry`. */
export interface JumpEntry extends TableEntry {
  readonly code: ModuleLocation;
  readonly target: ModuleLocation;
  /** The `struct static_key`; the two flag bits are taken off. */
  readonly key: ModuleLocation;
  readonly branch: boolean;
}

/** One `struct alt_instr`. */
export interface AltInstruction extends TableEntry {
  readonly instr: ModuleLocation;
  readonly replacement: ModuleLocation;
  /** `X86_FEATURE_*` number without the inversion flag. */
  readonly feature: number;
  /** `ALTINSTR_FLAG_INV`: replace when the feature is absent. */
  readonly inverted: boolean;
  readonly instrLength: number;
  readonly replacementLength: number;
}

/** One `struct paravirt_patch_site`. */
export interface ParavirtSite extends TableEntry {
  readonly instr: ModuleLocation | undefined;
  /** Which operation of `pv_ops`, by index. */
  readonly type: number;
  readonly length: number;
}

/** One `struct static_call_site`. */
export interface StaticCallSite extends TableEntry {
  readonly addr: ModuleLocation;
  /** The `struct static_call_key` or trampoline; the two flag bits are taken off. */
  readonly key: ModuleLocation;
  /** `STATIC_CALL_SITE_TAIL` */
  readonly tail: boolean;
  /** `STATIC_CALL_SITE_INIT` */
  readonly init: boolean;
}

/** One entry of a table that is nothing but places: return sites, retpoline sites, `__mcount_loc`, locks. */
export interface CodeSite extends TableEntry {
  readonly addr: ModuleLocation;
}

/** `.gnu.linkonce.this_module`: the initial bytes of `struct module` and what is relocated in them. */
export interface ThisModule {
  readonly section: ElfSection;
  readonly bytes: Uint8Array;
  /** Relocations of 8-byte fields by offset in the struct; the offsets' meaning is in the kernel's BTF. */
  readonly pointers: readonly { readonly at: number; readonly target: ModuleLocation }[];
}

/** The signature block at the end of the file (`struct module_signature`) and what it announces. */
export interface SignatureBlock {
  readonly algo: number;
  readonly hash: number;
  /** `PKEY_ID_*`; 2 is PKCS#7. */
  readonly idType: number;
  readonly signerLength: number;
  readonly keyIdLength: number;
  /** `sig_len` in bytes, as announced. */
  readonly signatureLength: number;
  /** Size of the module proper: what is signed. */
  readonly moduleSize: number;
  /** The signature (PKCS#7 DER), a view. */
  readonly signature: Uint8Array;
}

/**
 * A module file as an immutable specification: what the file says, with relocations resolved to places in the
 * module or names to import, and no address anywhere. Every property is decoded when first read and throws
 * `FormatError` when its bytes are bad; tables whose section is missing are empty.
 */
export interface ModuleSpec {
  /** The whole file, signature included. */
  readonly bytes: Uint8Array;
  /** The ELF part: `bytes` without the appended signature. */
  readonly elf: ElfFile;
  readonly signature: SignatureBlock | undefined;

  /** `.modinfo` in file order. */
  readonly modinfo: readonly ModinfoEntry[];
  /** The first value of a `.modinfo` key. */
  info(key: string): string | undefined;
  /** All values of a `.modinfo` key, in order. */
  infos(key: string): readonly string[];
  /** The module's name: `.modinfo`'s `name`. */
  readonly name: string | undefined;
  readonly versions: readonly SymbolVersion[];
  readonly thisModule: ThisModule | undefined;
  readonly params: readonly ModuleParam[];
  readonly exports: readonly ModuleExport[];
  /** Undefined symbols: what the module imports. */
  readonly imports: readonly { readonly name: string; readonly weak: boolean }[];
  readonly notes: readonly (ElfNote & { readonly section: string })[];
  /** The GNU build id in hexadecimal. */
  readonly buildId: string | undefined;

  readonly orc: readonly OrcEntry[];
  readonly exceptionTable: readonly ExceptionEntry[];
  readonly bugTable: readonly BugEntry[];
  readonly jumpTable: readonly JumpEntry[];
  readonly alternatives: readonly AltInstruction[];
  readonly paravirtSites: readonly ParavirtSite[];
  readonly staticCallSites: readonly StaticCallSite[];
  readonly returnSites: readonly CodeSite[];
  readonly retpolineSites: readonly CodeSite[];
  readonly ibtSeals: readonly CodeSite[];
  readonly mcountLocations: readonly CodeSite[];
  readonly smpLocks: readonly CodeSite[];
  /** The bytes of `.BTF` (split BTF on top of the kernel's), if there are any. */
  readonly btf: Uint8Array | undefined;
}
