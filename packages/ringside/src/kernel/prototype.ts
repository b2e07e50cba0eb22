import type { Btf } from '../btf/index.ts';

/** A C prototype taken apart, types in the spelling that `Btf.nameOf` uses. */
export interface Prototype {
  readonly name: string;
  readonly returns: string;
  readonly params: readonly string[];
  readonly variadic: boolean;
}

const TYPE_WORDS = new Set([
  'void',
  'char',
  'short',
  'int',
  'long',
  'unsigned',
  'signed',
  'bool',
  'struct',
  'union',
  'enum',
  'const',
  'volatile',
  '_Bool',
]);

/** Splits `text` at commas that are not inside parentheses. */
function splitParameters(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')') depth--;
    else if (text[i] === ',' && depth === 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts.map((part) => part.trim());
}

/** One spelling for a type: single spaces, none around `*`, `(` and `,`. */
export function normaliseType(type: string): string {
  return (
    type
      .replaceAll(/\s+/g, ' ')
      .replaceAll(/\s*([*(),])\s*/g, '$1')
      .replaceAll('_Bool', 'bool')
      .replaceAll('__kernel_size_t', 'size_t')
      .replaceAll('struct __va_list_tag*', 'va_list')
      // a parameter that is const itself says nothing to the caller
      .replaceAll(/\*const$/g, '*')
      // DWARF's spelling of the integer types, which BTF keeps
      .replaceAll(/\blong long unsigned int\b/g, 'unsigned long long')
      .replaceAll(/\blong unsigned int\b/g, 'unsigned long')
      .replaceAll(/\bshort unsigned int\b/g, 'unsigned short')
      .replaceAll(/\blong long int\b/g, 'long long')
      .replaceAll(/\b(long|short) int\b/g, '$1')
      .trim()
  );
}

/** The type of a parameter declaration: its name taken away. */
function typeOf(declaration: string): string {
  const pointerToFunction = /^(.*\(\*)\s*\w*\s*(\)\s*\(.*\))$/s.exec(declaration);
  if (pointerToFunction !== null) {
    const inner = pointerToFunction[2]!;
    const open = inner.indexOf('(');
    const params = splitParameters(inner.slice(open + 1, -1)).map(typeOf);
    return normaliseType(`${pointerToFunction[1]!})(${params.join(',')})`);
  }
  const words = /^(.*?)(\w+)$/s.exec(declaration);
  if (words === null || words[1]!.trim() === '' || TYPE_WORDS.has(words[2]!))
    return normaliseType(declaration);
  const before = words[1]!.trim();
  // `struct task_struct` alone is a type, `struct task_struct *p` and `gfp_t flags` have a name
  if (/^(const )?(struct|union|enum)$/.test(before)) return normaliseType(declaration);
  return normaliseType(before);
}

/** Takes a prototype as the export tables write it apart. Throws on text that is none. */
export function parsePrototype(text: string): Prototype {
  const match = /^(.*?)(\w+)\s*\((.*)\)$/s.exec(text.trim());
  if (match === null) throw new SyntaxError(`"${text}" is not a C prototype`);
  const [, returns, name, list] = match as unknown as [string, string, string, string];
  const params = list.trim() === 'void' ? [] : splitParameters(list);
  const variadic = params.at(-1) === '...';
  return {
    name,
    returns: normaliseType(returns),
    params: (variadic ? params.slice(0, -1) : params).map(typeOf),
    variadic,
  };
}

/** The kernel's own prototype of a function, or undefined when BTF does not know it (assembly). */
export function prototypeFromBtf(types: Btf, name: string): Prototype | undefined {
  const func = types.func(name);
  if (func === undefined) return undefined;
  return {
    name,
    returns: normaliseType(types.nameOf(func.returns)),
    params: func.params.map((param) => normaliseType(types.nameOf(param.type))),
    variadic: func.variadic,
  };
}

export function formatPrototype(prototype: Prototype): string {
  return `${prototype.returns} ${prototype.name}(${[...prototype.params, ...(prototype.variadic ? ['...'] : [])].join(', ')})`;
}
