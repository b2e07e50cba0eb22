import { hex64, InputError } from '../bytes/index.ts';
import type { KernelSpec, KernelSymbol } from '../image/index.ts';

/** What `ringside kernel show` prints of a kernel, a line each. */
export function describeKernel(spec: KernelSpec): string[] {
  let gplOnly = 0;
  const namespaces = new Set<string>();
  for (const each of spec.exports) {
    if (each.gplOnly) gplOnly++;
    if (each.namespace !== undefined) namespaces.add(each.namespace);
  }
  const structs = countOf(spec.types.ids('struct'));
  const functions = countOf(spec.types.ids('func'));
  const settings = spec.config === undefined ? undefined : countOf(spec.config.entries());
  const rows: [string, string][] = [
    ['release', spec.release],
    ['version', spec.version],
    ['machine', spec.machine],
    ['banner', spec.banner],
    ['vermagic', spec.vermagic.trimEnd()],
    ['exports', `${spec.exports.size} (${gplOnly} GPL only, ${namespaces.size} namespaces)`],
    ['symbols', String(spec.symbols.size)],
    ['types', `${spec.types.typeCount - 1} (${structs} structs, ${functions} functions)`],
    ['config', settings === undefined ? 'unknown' : `${settings} settings`],
    ...spec.trustedKeys.map(({ subject, subjectKeyId }): [string, string] => [
      'trusted key',
      `${subject || 'unnamed'}: ${subjectKeyId ?? 'no key identifier'}`,
    ]),
    ...spec.sections.map(({ name, address, size }): [string, string] => [
      'section',
      `${hex64(address)} ${size.toString(16).padStart(8, '0')} ${name}`,
    ]),
  ];
  return rows.map(([key, value]) => `${`${key}:`.padEnd(13)}${value}`);
}

/** One thing of a kernel, by name. Throws `InputError` when the kernel has none of that name. */
export function describeType(spec: KernelSpec, name: string): string[] {
  const bare = name.replace(/^(?:struct|union|enum)\s+/, '');
  const kinds = ['struct', 'union', 'enum', 'enum64', 'typedef', 'func', 'int'] as const;
  const ids = kinds.flatMap((kind) => spec.types.findAll(kind, bare));
  if (ids.length === 0) throw new InputError(`Kernel ${spec.release} has no type or function "${name}"`);
  return ids.flatMap((id) => {
    const size = spec.types.sizeOf(id);
    return [
      ...spec.types.format(id, { offsets: true }).split('\n'),
      ...(size > 0 ? [`/* ${size} bytes */`] : []),
    ];
  });
}

export function describeSymbol(spec: KernelSpec, name: string): string[] {
  const lines = spec.symbols.byName(name).map(symbolLine);
  const exported = spec.exports.byName(name);
  if (exported !== undefined) {
    const crc = exported.crc === undefined ? 'no CRC' : `CRC 0x${exported.crc.toString(16).padStart(8, '0')}`;
    const rule = exported.gplOnly ? 'EXPORT_SYMBOL_GPL' : 'EXPORT_SYMBOL';
    const namespace = exported.namespace === undefined ? '' : `, namespace ${exported.namespace}`;
    lines.push(`${rule}, ${crc}${namespace}`);
  }
  const calls = spec.calls.of(name);
  for (const { returnOffset, target } of calls?.calls ?? []) {
    lines.push(
      `call ${target} returns to ${name}+0x${returnOffset.toString(16)}/0x${calls!.size.toString(16)}`,
    );
  }
  for (const target of calls?.tailCalls ?? []) lines.push(`tail call ${target}`);
  if (lines.length === 0) throw new InputError(`Kernel ${spec.release} has no symbol "${name}"`);
  return lines;
}

export function describeConfig(spec: KernelSpec, name: string): string[] {
  if (spec.config === undefined)
    throw new InputError(`The configuration of kernel ${spec.release} is not known`);
  const full = name.startsWith('CONFIG_') ? name : `CONFIG_${name}`;
  const value = spec.config.get(full);
  return [value === undefined ? `# ${full} is not set` : `${full}=${value}`];
}

/** As in `/proc/kallsyms`, with the size. */
function symbolLine({ name, type, address, size }: KernelSymbol): string {
  return `${hex64(address)} ${type} ${name} (${size} bytes)`;
}

function countOf(items: Iterable<unknown>): number {
  let count = 0;
  for (const _ of items) count++;
  return count;
}
