import { UnsupportedError } from '../bytes/index.ts';
import { DW_LNCT, DW_LNE, DW_LNS } from './constants.ts';
import { Cursor } from './cursor.ts';
import type { DebugSections } from './debug-sections.ts';
import { type AttributeValue, readForm } from './forms.ts';

/** Names a file as a line program does: a directory's index and a name in it. */
interface FileEntry {
  readonly name: string;
  readonly directory: number;
}

/** Rows of growing address that belong together; the code between the last row and `end` is the last row's. */
export interface LineSequence {
  readonly start: number;
  /** First address behind the sequence. */
  readonly end: number;
  readonly addresses: readonly number[];
  readonly files: readonly number[];
  readonly lines: readonly number[];
  readonly columns: readonly number[];
}

/** What the header says about encoding. */
interface Encoding {
  readonly version: number;
  readonly minimumInstructionLength: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeLengths: readonly number[];
}

/** One unit's line-number program. The header is read at once, the rows when asked for. */
export class LineProgram {
  /** Where the next program of `.debug_line` begins. */
  readonly next: number;
  readonly #cursor: Cursor;
  readonly #programStart: number;
  readonly #encoding: Encoding;
  readonly #directories: string[];
  readonly #files: FileEntry[];
  readonly #compilationDirectory: string;
  #sequences: readonly LineSequence[] | undefined;

  /** `compilationDirectory` and `unitName` come from the unit: until DWARF 5 the program does not name them. */
  constructor(sections: DebugSections, offset: number, compilationDirectory = '', unitName = '') {
    const cursor = new Cursor(sections.get('.debug_line'), offset).enterUnit();
    this.#cursor = cursor;
    this.next = cursor.end;
    const version = cursor.u16();
    if (version < 2 || version > 5) {
      throw new UnsupportedError({ what: `line table of DWARF version ${version}` });
    }
    if (version >= 5) {
      const addressSize = cursor.u8();
      if (addressSize !== 8) cursor.fail(`addresses of ${addressSize} bytes, 8 expected`);
      cursor.skip(1);
    }
    const headerLength = cursor.offset();
    this.#programStart = cursor.position + headerLength;
    if (this.#programStart > cursor.end) cursor.fail('header of the line program does not fit');
    const minimumInstructionLength = cursor.u8();
    if (version >= 4) cursor.skip(1);
    cursor.skip(1);
    const lineBase = (cursor.u8() << 24) >> 24;
    const lineRange = cursor.u8();
    const opcodeBase = cursor.u8();
    const opcodeLengths = [0];
    for (let opcode = 1; opcode < opcodeBase; opcode += 1) opcodeLengths.push(cursor.u8());
    this.#encoding = { version, minimumInstructionLength, lineBase, lineRange, opcodeLengths };
    if (version >= 5) {
      this.#directories = readEntries(cursor, sections).map((entry) => entry.name);
      this.#files = readEntries(cursor, sections);
      this.#compilationDirectory = compilationDirectory || (this.#directories[0] ?? '');
    } else {
      this.#compilationDirectory = compilationDirectory;
      this.#directories = [compilationDirectory];
      this.#files = [{ name: unitName, directory: 0 }];
      for (let name = cursor.string(); name !== ''; name = cursor.string()) this.#directories.push(name);
      for (let name = cursor.string(); name !== ''; name = cursor.string())
        this.#files.push(readFile(cursor, name));
    }
  }

  /** The path of file number `index`; undefined when the program has no such file. */
  path(index: number): string | undefined {
    const file = this.#files[index];
    if (file === undefined) return undefined;
    if (file.name.startsWith('/')) return file.name;
    const directory = this.#directories[file.directory] ?? '';
    const path = directory === '' ? file.name : `${directory}/${file.name}`;
    const absolute = path.startsWith('/') || this.#compilationDirectory === '';
    return absolute ? path : `${this.#compilationDirectory}/${path}`;
  }

  /** The rows, in the order of the program's sequences. */
  get sequences(): readonly LineSequence[] {
    this.#sequences ??= this.#run();
    return this.#sequences;
  }

  /** Source: DWARF 5 section 6.2.5. */
  #run(): LineSequence[] {
    const cursor = new Cursor(this.#cursor.reader, this.#programStart, this.next);
    const { minimumInstructionLength, lineBase, lineRange, opcodeLengths } = this.#encoding;
    const opcodeBase = opcodeLengths.length;
    const sequences: LineSequence[] = [];
    let rows = new Rows();
    let address = 0;
    let file = 1;
    let line = 1;
    let column = 0;
    const special = (adjusted: number): number => {
      if (lineRange === 0) cursor.fail('special opcode in a line program with a line range of 0');
      return Math.floor(adjusted / lineRange);
    };
    while (!cursor.atEnd) {
      const opcode = cursor.u8();
      if (opcode >= opcodeBase) {
        const adjusted = opcode - opcodeBase;
        address += special(adjusted) * minimumInstructionLength;
        line += lineBase + (adjusted % lineRange);
        rows.add(address, file, line, column);
        continue;
      }
      switch (opcode) {
        case 0: {
          const size = cursor.uleb();
          const end = cursor.position + size;
          if (end > cursor.end) cursor.fail(`extended opcode of ${size} bytes does not fit`);
          const extended = size === 0 ? undefined : cursor.u8();
          if (extended === DW_LNE.end_sequence) {
            const sequence = rows.finish(address);
            if (sequence !== undefined) sequences.push(sequence);
            rows = new Rows();
            [address, file, line, column] = [0, 1, 1, 0];
          } else if (extended === DW_LNE.set_address) {
            if (size !== 9) cursor.fail(`address of ${size - 1} bytes, 8 expected`);
            address = cursor.address();
          } else if (extended === DW_LNE.define_file) {
            this.#files.push(readFile(cursor, cursor.string()));
          }
          cursor.position = end;
          break;
        }
        case DW_LNS.copy:
          rows.add(address, file, line, column);
          break;
        case DW_LNS.advance_pc:
          address += cursor.uleb() * minimumInstructionLength;
          break;
        case DW_LNS.advance_line:
          line += cursor.sleb();
          break;
        case DW_LNS.set_file:
          file = cursor.uleb();
          break;
        case DW_LNS.set_column:
          column = cursor.uleb();
          break;
        case DW_LNS.const_add_pc:
          address += special(255 - opcodeBase) * minimumInstructionLength;
          break;
        case DW_LNS.fixed_advance_pc:
          address += cursor.u16();
          break;
        default:
          for (let count = opcodeLengths[opcode] ?? 0; count > 0; count -= 1) cursor.uleb();
      }
    }
    return sequences;
  }
}

/** Collects the rows of a sequence. */
class Rows {
  readonly addresses: number[] = [];
  readonly files: number[] = [];
  readonly lines: number[] = [];
  readonly columns: number[] = [];

  add(address: number, file: number, line: number, column: number): void {
    const last = this.addresses.length - 1;
    // Of several rows at one address only the last covers any code.
    const at = last >= 0 && this.addresses[last] === address ? last : last + 1;
    this.addresses[at] = address;
    this.files[at] = file;
    this.lines[at] = line;
    this.columns[at] = column;
  }

  /** The sequence that ends at `end`; undefined when it covers no code or its addresses do not grow. */
  finish(end: number): LineSequence | undefined {
    const { addresses, files, lines, columns } = this;
    const start = addresses[0];
    if (start === undefined || !(end > start)) return undefined;
    const grows = addresses.every((address, index) => index === 0 || address > addresses[index - 1]!);
    return grows ? { start, end, addresses, files, lines, columns } : undefined;
  }
}

/** A file of a header before DWARF 5, after its name. */
function readFile(cursor: Cursor, name: string): FileEntry {
  const directory = cursor.uleb();
  cursor.uleb();
  cursor.uleb();
  return { name, directory };
}

/** A directory or file table of DWARF 5. Source: DWARF 5 section 6.2.4.1. */
function readEntries(cursor: Cursor, sections: DebugSections): FileEntry[] {
  const formats: [content: number, form: number][] = [];
  for (let count = cursor.u8(); count > 0; count -= 1) formats.push([cursor.uleb(), cursor.uleb()]);
  const count = cursor.uleb();
  if (count > cursor.end - cursor.position) cursor.fail(`${count} entries do not fit`);
  return Array.from({ length: count }, () => {
    let name = '';
    let directory = 0;
    for (const [content, form] of formats) {
      const value = readForm(cursor, form);
      if (content === DW_LNCT.path) name = pathText(cursor, sections, value);
      else if (content === DW_LNCT.directory_index) directory = value.value;
    }
    return { name, directory };
  });
}

function pathText(cursor: Cursor, sections: DebugSections, value: AttributeValue): string {
  switch (value.kind) {
    case 'string':
      return cursor.reader.cString(value.value, 'utf-8');
    case 'line-string-offset':
      return sections.get('.debug_line_str').cString(value.value, 'utf-8');
    case 'string-offset':
      return sections.get('.debug_str').cString(value.value, 'utf-8');
    default:
      return cursor.fail(`path in a form of class ${value.kind}`);
  }
}
