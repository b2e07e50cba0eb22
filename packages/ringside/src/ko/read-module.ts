import { ElfFile, NT_GNU_BUILD_ID, SHT_NOTE } from '../elf/index.ts';
import * as tables from './code-tables.ts';
import { readModinfoSection } from './modinfo-section.ts';
import type { ModuleSpec, SignatureBlock, ThisModule } from './module-spec.ts';
import { readSignatureBlock } from './signature-block.ts';
import { readExports, readImports, readParams, readVersions } from './symbol-tables.ts';
import { TableFields } from './table-fields.ts';

/**
 * Reads a module file (uncompressed). ELF header, section headers and the signature block are checked at once,
 * every table when it is first asked for; bad bytes are a `FormatError`.
 */
export function readModule(bytes: Uint8Array): ModuleSpec {
  return new LazyModuleSpec(bytes);
}

class LazyModuleSpec implements ModuleSpec {
  readonly bytes: Uint8Array;
  readonly elf: ElfFile;
  readonly signature: SignatureBlock | undefined;
  readonly #cache = new Map<string, unknown>();

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.signature = readSignatureBlock(bytes);
    this.elf = new ElfFile(
      this.signature === undefined ? bytes : bytes.subarray(0, this.signature.moduleSize),
    );
  }

  get modinfo() {
    return this.#once('modinfo', () => readModinfoSection(this.#data('.modinfo') ?? new Uint8Array(0)));
  }

  info(key: string): string | undefined {
    return this.infos(key)[0];
  }

  infos(key: string): readonly string[] {
    return this.modinfo.flatMap((entry) =>
      entry.key === key && entry.value !== undefined ? [entry.value] : [],
    );
  }

  get name(): string | undefined {
    return this.info('name');
  }

  get versions() {
    return this.#once('versions', () => readVersions(this.elf));
  }

  get thisModule(): ThisModule | undefined {
    return this.#once('thisModule', () => {
      const section = this.elf.section('.gnu.linkonce.this_module');
      if (section === undefined) return undefined;
      const fields = new TableFields(this.elf, section);
      const pointers = fields.relocatedOffsets.map((at) => ({ at, target: fields.pointer(at)! }));
      return { section, bytes: this.elf.data(section), pointers };
    });
  }

  get params() {
    return this.#once('params', () => readParams(this.elf));
  }

  get exports() {
    return this.#once('exports', () => readExports(this.elf));
  }

  get imports() {
    return this.#once('imports', () => readImports(this.elf));
  }

  get notes() {
    return this.#once('notes', () =>
      this.elf.sections
        .filter((section) => section.type === SHT_NOTE)
        .flatMap((section) => this.elf.notes(section).map((note) => ({ ...note, section: section.name }))),
    );
  }

  get buildId(): string | undefined {
    const note = this.notes.find(({ name, type }) => name === 'GNU' && type === NT_GNU_BUILD_ID);
    return note && [...note.desc].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  get orc() {
    return this.#once('orc', () => tables.readOrc(this.elf));
  }

  get exceptionTable() {
    return this.#once('exceptionTable', () => tables.readExceptionTable(this.elf));
  }

  get bugTable() {
    return this.#once('bugTable', () => tables.readBugTable(this.elf));
  }

  get jumpTable() {
    return this.#once('jumpTable', () => tables.readJumpTable(this.elf));
  }

  get alternatives() {
    return this.#once('alternatives', () => tables.readAlternatives(this.elf));
  }

  get paravirtSites() {
    return this.#once('paravirtSites', () => tables.readParavirtSites(this.elf));
  }

  get staticCallSites() {
    return this.#once('staticCallSites', () => tables.readStaticCallSites(this.elf));
  }

  get returnSites() {
    return this.#once('returnSites', () => tables.readRelativeSites(this.elf, '.return_sites'));
  }

  get retpolineSites() {
    return this.#once('retpolineSites', () => tables.readRelativeSites(this.elf, '.retpoline_sites'));
  }

  get ibtSeals() {
    return this.#once('ibtSeals', () => tables.readRelativeSites(this.elf, '.ibt_endbr_seal'));
  }

  get mcountLocations() {
    return this.#once('mcountLocations', () => tables.readMcountLocations(this.elf));
  }

  get smpLocks() {
    return this.#once('smpLocks', () => tables.readRelativeSites(this.elf, '.smp_locks'));
  }

  get btf(): Uint8Array | undefined {
    return this.#data('.BTF');
  }

  #data(name: string): Uint8Array | undefined {
    const section = this.elf.section(name);
    return section === undefined ? undefined : this.elf.data(section);
  }

  #once<T>(key: string, read: () => T): T {
    if (!this.#cache.has(key)) this.#cache.set(key, read());
    return this.#cache.get(key) as T;
  }
}
