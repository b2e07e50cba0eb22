import { addrToU64, unreachable } from '../bytes/index.ts';
import type { ModuleLocation } from '../ko/index.ts';

/** A cell as programs get it; `undefined` is left out. */
export type Cell = string | number | boolean | Place | undefined;

/** Where something points, in the JSON output. Addresses are `0x...` strings, since they have 64 bits. */
export type Place =
  | { readonly section: string; readonly offset: number; readonly symbol?: string }
  | { readonly import: string; readonly addend: number; readonly weak: boolean }
  | { readonly absolute: string; readonly symbol?: string };

export type Row = Readonly<Record<string, Cell>>;

/** One parsed structure of a file: its rows and how people see the columns. */
export interface View {
  readonly summary: string;
  /** Columns whose numbers people read in hexadecimal. */
  readonly hex?: readonly string[];
  readonly rows: () => Iterable<Row> | Promise<Iterable<Row>>;
  /** How many rows there are, where that is known without making them. */
  readonly count?: () => number;
}

export type Views = Readonly<Record<string, View>>;

/** A 64-bit address as `0x` and 16 digits. */
export function address(value: number): string {
  return `0x${addrToU64(value).toString(16).padStart(16, '0')}`;
}

export function hexBytes(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function placeOf(location: ModuleLocation | undefined): Place | undefined {
  switch (location?.kind) {
    case undefined:
      return undefined;
    case 'section':
      return {
        section: location.section.name,
        offset: location.offset,
        ...(location.symbol === '' ? {} : { symbol: location.symbol }),
      };
    case 'import':
      return { import: location.symbol, addend: location.addend, weak: location.weak };
    case 'absolute':
      return {
        absolute: address(location.value),
        ...(location.symbol === '' ? {} : { symbol: location.symbol }),
      };
    default:
      return unreachable(location, 'location');
  }
}

/** Rows as lines under a heading, columns aligned; a place reads `.text+0x12 <symbol>` or `symbol (import)`. */
export function formatRows(rows: readonly Row[], hexColumns: readonly string[] = []): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = rows.map((row) =>
    columns.map((column) => formatCell(row[column], hexColumns.includes(column))),
  );
  const numeric = columns.map((column) =>
    rows.every((row) => ['number', 'undefined'].includes(typeof row[column])),
  );
  const widths = columns.map((column, index) =>
    cells.reduce((width, line) => Math.max(width, line[index]!.length), column.length),
  );
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, index) => (numeric[index] ? text.padStart(widths[index]!) : text.padEnd(widths[index]!)))
      .join('  ')
      .trimEnd();
  return [line(columns), ...cells.map(line)].map((text) => `${text}\n`).join('');
}

function formatCell(cell: Cell, hex: boolean): string {
  if (cell === undefined) return '';
  if (typeof cell === 'number') return hex ? hexNumber(cell) : String(cell);
  if (typeof cell === 'boolean') return cell ? 'yes' : '';
  if (typeof cell === 'string') return printable(cell);
  if ('section' in cell) {
    return `${cell.section}+${hexNumber(cell.offset)}${cell.symbol === undefined ? '' : ` <${printable(cell.symbol)}>`}`;
  }
  if ('import' in cell) {
    const addend =
      cell.addend === 0 ? '' : `${cell.addend < 0 ? '-' : '+'}${hexNumber(Math.abs(cell.addend))}`;
    return `${printable(cell.import)}${addend} (${cell.weak ? 'weak import' : 'import'})`;
  }
  return cell.symbol === undefined ? cell.absolute : `${cell.absolute} <${printable(cell.symbol)}>`;
}

function hexNumber(value: number): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

/** A file's text must not drive the terminal: control characters are shown as escapes. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
