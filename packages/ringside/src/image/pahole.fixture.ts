/** A member as pahole prints it. */
export interface PaholeMember {
  /** Through structs that have no name, e.g. `shared.rb`; the first element of an array of them. */
  readonly path: string;
  readonly offset: number;
  readonly sizeBytes: number;
  /** Of a bit-field: first bit from the start of the struct. */
  readonly bit: number | undefined;
}

export interface PaholeStruct {
  readonly kind: 'struct' | 'union';
  readonly name: string;
  /** Not printed for unions. */
  readonly sizeBytes: number | undefined;
  readonly members: readonly PaholeMember[];
}

/** `offset: bit size`; in a union at the top only the size. */
const PLACE = /\/\*\s+(?:(\d+)(?::\s*(\d+))?\s+)?(\d+) \*\/$/;

/** Takes pahole's listing of all structs apart. */
export function readPahole(text: string): PaholeStruct[] {
  const structs: PaholeStruct[] = [];
  let kind: 'struct' | 'union' = 'struct';
  let name = '';
  let size = 0;
  // One list of members for each brace that is open.
  let open: PaholeMember[][] = [];
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    const start = /^(struct|union) (\w+) \{$/.exec(raw);
    if (start !== null) {
      kind = start[1] === 'union' ? 'union' : 'struct';
      name = start[2] ?? '';
      open = [[]];
      continue;
    }
    if (open.length === 0) continue;
    const sizeLine = /^\t\/\* size: (\d+)/.exec(raw);
    if (sizeLine !== null) size = Number(sizeLine[1]);
    if (raw.startsWith('}')) {
      const members = open[0] ?? [];
      // A union's size is not printed: it is its largest member's, alignment aside.
      structs.push({ kind, name, sizeBytes: kind === 'union' ? undefined : size, members });
      open = [];
    } else if (line.endsWith('{')) {
      open.push([]);
    } else if (line.startsWith('}')) {
      const inner = open.pop() ?? [];
      const member = declared(line.slice(1), line);
      const outer = open.at(-1);
      if (member === undefined || member.path === '') outer?.push(...inner);
      else if (line.startsWith('} *')) outer?.push(member);
      else
        outer?.push(
          member,
          ...inner.map((each) => ({ ...each, path: `${member.path}${element(line)}.${each.path}` })),
        );
    } else {
      const member = declared(line, line);
      if (member !== undefined && member.path !== '') open.at(-1)?.push(member);
    }
  }
  return structs;
}

function declared(declaration: string, line: string): PaholeMember | undefined {
  const place = PLACE.exec(line);
  if (place === null) return undefined;
  const text = declaration
    .slice(0, declaration.indexOf(';'))
    .replace(/__attribute__\(\(.*\)\)/, '')
    .trim();
  const pointer = /\(\*+\s*(?:const )?(\w+)(?:\[\d*\])*\)/.exec(text);
  const plain = /(\w+)\s*(?:\[\d*\])*\s*(?::\d+)?$/.exec(text);
  const path = (text.includes('(') ? pointer?.[1] : plain?.[1]) ?? '';
  const offset = Number(place[1] ?? 0);
  return {
    path: /:\d+$/.test(path) ? '' : path,
    offset,
    sizeBytes: Number(place[3]),
    bit: place[2] === undefined ? undefined : offset * 8 + Number(place[2]),
  };
}

function element(line: string): string {
  const subscripts = /^\} (?:__attribute__\(\(\w+\)\) )*\w+((?:\[\d*\])+)/.exec(line)?.[1] ?? '';
  return subscripts.replace(/\[\d*\]/g, '[0]');
}
