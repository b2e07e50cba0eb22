import { StringTable, splitSection, TypeGraph, TypeTable } from '../../btf/index.ts';
import { asAddr, ByteReader, FormatError } from '../../bytes/index.ts';
import { ListCallTable } from '../call-table.ts';
import { CORE_ENUMERATORS, CORE_STRUCTS } from '../core-types.ts';
import { ColumnExportTable, type ExportColumns } from '../export-table.ts';
import type { KernelIdentity } from '../identity.ts';
import { TextKernelConfig } from '../kernel-config.ts';
import type {
  CallTable,
  ExportTable,
  ImageCalls,
  ImageSection,
  KernelConfig,
  KernelSpec,
  SymbolTable,
  TrustedKey,
} from '../kernel-spec.ts';
import { ColumnSymbolTable, type SymbolColumns } from '../symbol-table.ts';
import { type Deflate, type Inflate, SpecContainer, writeContainer } from './container.ts';
import { type CoreFacts, CoreFirstConfig, CoreFirstSymbols, collectCoreFacts } from './core-facts.ts';
import { packHotTypes, unpackHotTypes } from './hot-types.ts';
import { packExports, packSymbols, unpackExports, unpackSymbols } from './tables.ts';

/** All that is known of a kernel, in the form it is stored in. */
export interface KernelFacts extends KernelIdentity {
  readonly exports: ExportColumns;
  readonly symbols: SymbolColumns;
  /** The `.BTF` section as it stands. */
  readonly btf: Uint8Array;
  readonly types: TypeGraph;
  readonly trustedKeys: readonly TrustedKey[];
  readonly config: TextKernelConfig | undefined;
  readonly sections: readonly ImageSection[];
  readonly calls: readonly ImageCalls[];
}

const TAG = {
  meta: 'META',
  keys: 'KEYS',
  exports: 'EXPT',
  hotTypes: 'HOTT',
  types: 'TYPE',
  symbols: 'SYMS',
  calls: 'CALL',
  config: 'CONF',
} as const;

/** What every start reads: small, so that it costs little. */
interface Meta extends KernelIdentity {
  readonly typeCount: number;
  readonly sections: readonly ImageSection[];
  readonly core?: CoreFacts;
}

const utf8 = new TextDecoder();
const toJson = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Writes a spec file. */
export function encodeSpec(facts: KernelFacts, deflate: Deflate): Uint8Array {
  const { release, version, machine, banner, vermagic, sections, types } = facts;
  const core = collectCoreFacts(new ColumnSymbolTable(facts.symbols), facts.config);
  const { typeCount } = types;
  const meta: Meta = { release, version, machine, banner, vermagic, typeCount, sections, core };
  const keys = facts.trustedKeys.map((key) => ({ ...key, der: [...key.der] }));
  return writeContainer(
    [
      [TAG.meta, toJson(meta)],
      [TAG.exports, packExports(facts.exports)],
      [TAG.hotTypes, packHotTypes(types, CORE_STRUCTS, CORE_ENUMERATORS)],
      [TAG.keys, toJson(keys)],
      [TAG.calls, toJson(facts.calls)],
      ...(facts.config === undefined
        ? []
        : [[TAG.config, new TextEncoder().encode(facts.config.settings)] as const]),
      [TAG.symbols, packSymbols(facts.symbols)],
      [TAG.types, facts.btf],
    ],
    deflate,
  );
}

/**
 * Opens a spec file; each part is inflated when first asked for, so damage there shows as `FormatError` then.
 * Throws `FormatError` when the file is no spec file or its head is damaged.
 */
export function openSpec(bytes: Uint8Array, inflate: Inflate): KernelSpec {
  return new FileKernelSpec(new SpecContainer(bytes, inflate));
}

class FileKernelSpec implements KernelSpec {
  readonly release: string;
  readonly version: string;
  readonly machine: string;
  readonly banner: string;
  readonly vermagic: string;
  readonly sections: readonly ImageSection[];
  readonly types: TypeGraph;
  readonly #container: SpecContainer;
  #exports: ExportTable | undefined;
  readonly #core: CoreFacts;
  #symbols: SymbolTable | undefined;
  #allSymbols: SymbolTable | undefined;
  #keys: readonly TrustedKey[] | undefined;
  #calls: CallTable | undefined;
  #config: KernelConfig | undefined;
  #allConfig: KernelConfig | undefined;

  constructor(container: SpecContainer) {
    this.#container = container;
    const meta = this.#json<Meta>(TAG.meta);
    for (const key of ['release', 'version', 'machine', 'banner', 'vermagic'] as const) {
      if (typeof meta[key] !== 'string')
        throw new FormatError(`spec file lacks ${key}`, { section: TAG.meta });
    }
    this.release = meta.release;
    this.version = meta.version;
    this.machine = meta.machine;
    this.banner = meta.banner;
    this.vermagic = meta.vermagic;
    this.sections = meta.sections;
    this.#core = meta.core ?? { symbols: {}, config: {} };
    this.types = new TypeGraph({
      hot: unpackHotTypes(container.read(TAG.hotTypes)),
      endId: meta.typeCount,
      full: () => {
        const { records, strings } = splitSection(container.read(TAG.types));
        return new TypeTable(new ByteReader(records, '.BTF'), new StringTable(strings), { firstId: 1 });
      },
    });
  }

  get exports(): ExportTable {
    this.#exports ??= new ColumnExportTable(unpackExports(this.#container.read(TAG.exports)));
    return this.#exports;
  }

  get symbols(): SymbolTable {
    this.#symbols ??= new CoreFirstSymbols(this.#core.symbols, () => {
      this.#allSymbols ??= new ColumnSymbolTable(unpackSymbols(this.#container.read(TAG.symbols)));
      return this.#allSymbols;
    });
    return this.#symbols;
  }

  get trustedKeys(): readonly TrustedKey[] {
    this.#keys ??= this.#json<readonly (Omit<TrustedKey, 'der'> & { der: number[] })[]>(TAG.keys).map(
      (key) => ({
        ...key,
        der: Uint8Array.from(key.der),
        subjectKeyId: key.subjectKeyId,
      }),
    );
    return this.#keys;
  }

  get calls(): CallTable {
    this.#calls ??= new ListCallTable(
      this.#json<readonly ImageCalls[]>(TAG.calls).map((each) => ({
        ...each,
        address: asAddr(each.address),
      })),
    );
    return this.#calls;
  }

  get config(): KernelConfig | undefined {
    if (this.#config === undefined && this.#container.has(TAG.config)) {
      this.#config = new CoreFirstConfig(this.#core.config, () => {
        this.#allConfig ??= new TextKernelConfig(utf8.decode(this.#container.read(TAG.config)));
        return this.#allConfig;
      });
    }
    return this.#config;
  }

  #json<Value>(tag: string): Value {
    const text = utf8.decode(this.#container.read(tag));
    try {
      return JSON.parse(text) as Value;
    } catch (error) {
      throw new FormatError('spec file is damaged: no JSON', { section: tag }, { cause: error });
    }
  }
}
