import { FormatError, unreachable } from '../bytes/index.ts';
import type { Btf, FormatOptions } from './btf.ts';
import type { BtfComposite, BtfEnum, BtfFuncProto, BtfType, BtfTypeId } from './kinds.ts';
import { MAX_NESTING } from './layout.ts';

/** A declaration of `name` with this type: `declare(btf, id, 'next')` is `struct list_head *next`. */
export function declare(btf: Btf, id: BtfTypeId, name: string, at: Walk = start()): string {
  const type = btf.type(id);
  guard(at);
  switch (type.kind) {
    case 'ptr': {
      const target = btf.type(type.target);
      const pointer = `*${name}`;
      // `*` binds weaker than `[]` and `()`, so a pointer to those needs parentheses.
      const inner = target.kind === 'array' || target.kind === 'func_proto' ? `(${pointer})` : pointer;
      return declare(btf, type.target, inner, deeper(at));
    }
    case 'const':
    case 'volatile':
    case 'restrict': {
      const target = btf.type(type.target);
      // Qualifies a pointer itself: it goes behind the star.
      if (target.kind === 'ptr') return declare(btf, type.target, join(type.kind, name), deeper(at));
      return `${type.kind} ${declare(btf, type.target, name, deeper(at))}`;
    }
    case 'type_tag':
    case 'decl_tag':
      return declare(btf, type.target, name, deeper(at));
    case 'array':
      return declare(btf, type.element, `${name}[${type.count === 0 ? '' : type.count}]`, deeper(at));
    case 'func_proto':
      return declare(btf, type.returns, `${name}(${parameters(btf, type, deeper(at))})`, deeper(at));
    default:
      return join(baseName(btf, type, at), name);
  }
}

/** The definition of a type, as C. */
export function format(btf: Btf, id: BtfTypeId, options: FormatOptions): string {
  const type = btf.type(id);
  switch (type.kind) {
    case 'struct':
    case 'union':
      return `${compositeBody(btf, type, '', options, start())};`;
    case 'enum':
    case 'enum64':
      return `${enumBody(type, '')};`;
    case 'typedef':
      return `typedef ${declare(btf, type.target, type.name)};`;
    case 'func':
      return `${declare(btf, type.proto, type.name)};`;
    case 'var':
      return `${declare(btf, type.type, type.name)};`;
    case 'datasec':
      return [
        `section ${type.name} {`,
        ...type.entries.map(({ type: each, offset, sizeBytes }) => {
          const variable = btf.type(each);
          const text = 'type' in variable ? declare(btf, variable.type, variable.name) : variable.name;
          return `\t${text}; /* ${offset} ${sizeBytes} */`;
        }),
        '};',
      ].join('\n');
    default:
      return declare(btf, id, '');
  }
}

function baseName(btf: Btf, type: BtfType, at: Walk): string {
  switch (type.kind) {
    case 'void':
      return 'void';
    case 'int':
    case 'float':
    case 'typedef':
    case 'var':
    case 'func':
    case 'datasec':
      return type.name;
    case 'fwd':
      return `${type.of} ${type.name}`;
    case 'struct':
    case 'union':
      return type.name === '' ? compositeBody(btf, type, '', {}, deeper(at)) : `${type.kind} ${type.name}`;
    case 'enum':
    case 'enum64':
      return type.name === '' ? enumBody(type, '') : `enum ${type.name}`;
    case 'ptr':
    case 'const':
    case 'volatile':
    case 'restrict':
    case 'type_tag':
    case 'decl_tag':
    case 'array':
    case 'func_proto':
      throw new FormatError(`BTF type ${type.id} is a ${type.kind} where a name is needed`, {
        section: '.BTF',
      });
    default:
      return unreachable(type, 'BTF kind');
  }
}

function parameters(btf: Btf, proto: BtfFuncProto, at: Walk): string {
  const list = proto.params.map(({ name, type }) => declare(btf, type, name, at));
  if (proto.variadic) list.push('...');
  return list.length === 0 ? 'void' : list.join(', ');
}

function compositeBody(
  btf: Btf,
  type: BtfComposite,
  indent: string,
  options: FormatOptions,
  at: Walk,
): string {
  guard(at);
  const lines = [`${join(type.kind, type.name)} {`];
  const inner = `${indent}\t`;
  for (const member of type.members) {
    const target = btf.type(member.type);
    let text: string;
    if ((target.kind === 'struct' || target.kind === 'union') && target.name === '') {
      text = join(compositeBody(btf, target, inner, options, deeper(at)), member.name);
    } else {
      text = declare(btf, member.type, member.name, deeper(at));
    }
    if (member.bitfieldBits > 0) text += `:${member.bitfieldBits}`;
    const place = options.offsets === true ? ` /* ${offsetText(btf, member)} */` : '';
    lines.push(`${inner}${text};${place}`);
  }
  lines.push(`${indent}}`);
  return lines.join('\n');
}

function offsetText(btf: Btf, member: { type: BtfTypeId; bitOffset: number; bitfieldBits: number }): string {
  const byte = Math.floor(member.bitOffset / 8);
  const bit = member.bitfieldBits > 0 ? `:${member.bitOffset % 8}` : '';
  return `${byte}${bit} ${btf.sizeOf(member.type)}`;
}

function enumBody(type: BtfEnum, indent: string): string {
  return [
    `${join('enum', type.name)} {`,
    ...type.values.map(({ name, wide }) => `${indent}\t${name} = ${wide},`),
    `${indent}}`,
  ].join('\n');
}

function join(left: string, right: string): string {
  return right === '' ? left : `${left} ${right}`;
}

/** Where printing is: how deep, and how much may still be printed of types that nest without end. */
interface Walk {
  readonly level: number;
  readonly budget: { left: number };
}

const MAX_PARTS = 100_000;

function start(): Walk {
  return { level: 0, budget: { left: MAX_PARTS } };
}

function deeper({ level, budget }: Walk): Walk {
  return { level: level + 1, budget };
}

function guard({ level, budget }: Walk): void {
  if (level > MAX_NESTING || budget.left-- <= 0) {
    throw new FormatError('BTF types are nested without end', { section: '.BTF' });
  }
}
