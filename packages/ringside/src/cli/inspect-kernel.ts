import { type Btf, readBtf, TypeGraph } from '../btf/index.ts';
import { UnsupportedError } from '../bytes/index.ts';
import type { KernelSpec } from '../image/index.ts';
import { address, type Row, type Views } from './inspect-table.ts';

/** What a kernel (image, package or spec) has. */
export function kernelViews(spec: KernelSpec): Views {
  return {
    exports: {
      summary: 'symbols for modules',
      hex: ['crc'],
      count: () => spec.exports.size,
      rows: () =>
        map(spec.exports, ({ name, address: value, crc, gplOnly, namespace }) => ({
          address: address(value),
          crc,
          gplOnly,
          namespace,
          name,
        })),
    },
    kallsyms: {
      summary: 'all symbols, as /proc/kallsyms has them',
      count: () => spec.symbols.size,
      rows: () =>
        map(spec.symbols, ({ address: value, type, size, name }) => ({
          address: address(value),
          type,
          size,
          name,
        })),
    },
    btf: { summary: 'types', count: () => spec.types.typeCount - 1, rows: () => typeRows(spec.types, 1) },
    config: {
      summary: 'the .config',
      rows: () => map(spec.config?.entries() ?? [], ([name, value]) => ({ name, value })),
    },
    keys: {
      summary: 'trusted keys',
      rows: () =>
        map(spec.trustedKeys, ({ subject, serial, subjectKeyId }) => ({ subject, serial, subjectKeyId })),
    },
    sections: {
      summary: 'sections of the image',
      hex: ['offset', 'size'],
      rows: () =>
        map(spec.sections, ({ name, address: value, size, offset }) => ({
          name,
          address: address(value),
          offset,
          size,
        })),
    },
    identity: {
      summary: 'release, version, vermagic',
      rows: () =>
        (['release', 'version', 'machine', 'banner', 'vermagic'] as const).map((field) => ({
          field,
          value: spec[field],
        })),
    },
  };
}

/** The types of a module's `.BTF` section, which continues the kernel's. `kernel`: what `--kernel` names. */
export async function btfRows(
  section: Uint8Array | undefined,
  kernel: string | undefined,
): Promise<Iterable<Row>> {
  if (section === undefined) return [];
  const { resolveKernel } = await import('../node/index.ts');
  const base = (await resolveKernel(kernel)).types;
  if (!(base instanceof TypeGraph)) {
    throw new UnsupportedError({ what: "types on top of this kernel's", neededBy: 'inspect btf' });
  }
  return typeRows(readBtf(section, base), base.typeCount);
}

function* typeRows(types: Btf, first: number): Generator<Row> {
  for (let id = first; id < types.typeCount; id++) {
    const { kind, name } = types.type(id);
    yield {
      id,
      kind,
      name,
      c: kind === 'var' || kind === 'datasec' || kind === 'decl_tag' ? '' : oneLine(types.nameOf(id)),
    };
  }
}

/** An anonymous struct's or enum's body spans lines. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

function* map<T>(items: Iterable<T>, row: (item: T) => Row): Generator<Row> {
  for (const item of items) yield row(item);
}
