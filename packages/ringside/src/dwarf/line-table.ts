import type { ElfFile } from '../elf/index.ts';
import type { AbbreviationTable } from './abbreviations.ts';
import { DebugSections, type SectionPlace } from './debug-sections.ts';
import { LineProgram, type LineSequence } from './line-program.ts';
import { type AddressRange, rangesOf } from './ranges.ts';
import { type FunctionScope, readFunctions, scopesAt } from './scopes.ts';
import { Unit } from './unit.ts';
import { readStaticVariables } from './variables.ts';

/** A place in source text. Line 0 means code that belongs to no line; column 0 means unknown. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A call that was inlined: where in which function it stands. */
export interface InlineCaller extends SourcePosition {
  readonly function: string | undefined;
}

/** Where an instruction comes from. */
export interface SourceLocation extends SourcePosition {
  /** The innermost function, inlined or not; undefined when the debug information names none. */
  readonly function: string | undefined;
  /** If that function was inlined, its caller, the caller's caller and so on, innermost first. */
  readonly inlinedFrom: readonly InlineCaller[];
}

/** A source file that was compiled. */
export interface CompilationUnit {
  readonly name: string;
  readonly compilationDirectory: string;
  readonly dwarfVersion: number;
}

/** A variable with static storage. */
export interface DebugVariable extends SectionPlace {
  readonly name: string;
  readonly sizeBytes: number | undefined;
  /** The function it is local to; undefined for one of file scope. */
  readonly function: string | undefined;
}

/** A line program's sequence with the program that names its files. */
interface PlacedSequence extends LineSequence {
  readonly program: LineProgram;
}

/**
 * Source positions of a module's or image's code. Nothing is read until it is asked for; after that the units
 * asked about are kept. Every method throws `FormatError` for debug information that is broken, and
 * `UnsupportedError` for compressed sections and DWARF before 3.
 *
 *     const location = new LineTable(elf).at(text.index, 0x12);
 */
export class LineTable {
  readonly #sections: DebugSections;
  #units: readonly Unit[] | undefined;
  #unitRanges: readonly (AddressRange & { readonly unit: Unit })[] | undefined;
  readonly #sequences = new Map<Unit | undefined, readonly PlacedSequence[]>();
  readonly #functions = new Map<Unit, readonly FunctionScope[]>();

  constructor(elf: ElfFile) {
    this.#sections = new DebugSections(elf);
  }

  /** Whether the file has line information at all. */
  get isPresent(): boolean {
    return this.#sections.has('.debug_line');
  }

  /** The source files that were compiled into the file. */
  get units(): CompilationUnit[] {
    return this.#allUnits().map((unit) => ({
      name: unit.name,
      compilationDirectory: unit.compilationDirectory,
      dwarfVersion: unit.version,
    }));
  }

  /** The variables with static storage, in the order of the debug information. */
  get variables(): DebugVariable[] {
    const found: DebugVariable[] = [];
    for (const unit of this.#allUnits()) {
      for (const { address, ...variable } of readStaticVariables(unit)) {
        const place = this.#sections.placeOf(address);
        if (place !== undefined) found.push({ ...variable, ...place });
      }
    }
    return found;
  }

  /** Where the instruction at `offset` bytes into section number `section` comes from. */
  at(section: number, offset: number): SourceLocation | undefined {
    return this.atAddress(this.#sections.addressOf({ section, offset }));
  }

  /** The same for an address of a linked file. */
  atAddress(address: number): SourceLocation | undefined {
    const unit = this.#unitAt(address);
    const position = this.#positionAt(unit, address);
    if (position === undefined) return undefined;
    const chain = unit === undefined ? [] : scopesAt(this.#functionsOf(unit), address).reverse();
    const inlinedFrom: InlineCaller[] = [];
    chain.forEach((scope, index) => {
      const caller = chain[index + 1];
      if (scope.call === undefined || caller === undefined) return;
      const { file, line, column } = scope.call;
      inlinedFrom.push({ function: caller.name, file: unit?.lines?.path(file) ?? '', line, column });
    });
    return { ...position, function: chain[0]?.name, inlinedFrom };
  }

  /** Every position of the file's code, in no particular order: for dumps and tests. */
  *rows(): Generator<SectionPlace & SourcePosition> {
    for (const unit of this.#unitsOrNone()) {
      for (const { program, addresses, files, lines, columns } of this.#sequencesOf(unit)) {
        for (const [index, address] of addresses.entries()) {
          const place = this.#sections.placeOf(address);
          if (place === undefined) continue;
          const file = program.path(files[index]!) ?? '';
          yield { ...place, file, line: lines[index]!, column: columns[index]! };
        }
      }
    }
  }

  #positionAt(unit: Unit | undefined, address: number): SourcePosition | undefined {
    const sequences = this.#sequencesOf(unit);
    const sequence = sequences.find((candidate) => address >= candidate.start && address < candidate.end);
    if (sequence === undefined) return undefined;
    const row = lastAtOrBelow(sequence.addresses, address);
    const file = sequence.program.path(sequence.files[row]!) ?? '';
    return { file, line: sequence.lines[row]!, column: sequence.columns[row]! };
  }

  #allUnits(): readonly Unit[] {
    if (this.#units === undefined) {
      const info = this.#sections.get('.debug_info');
      const tables = new Map<number, AbbreviationTable>();
      const units: Unit[] = [];
      for (let offset = 0; offset < info.size; ) {
        const unit = new Unit(this.#sections, offset, tables);
        offset = unit.end;
        if (!unit.isTypeUnit) units.push(unit);
      }
      this.#units = units;
    }
    return this.#units;
  }

  /** The units, or one `undefined` that stands for all line programs when there is no `.debug_info`. */
  #unitsOrNone(): readonly (Unit | undefined)[] {
    const units = this.#allUnits();
    return units.length === 0 ? [undefined] : units;
  }

  #unitAt(address: number): Unit | undefined {
    this.#unitRanges ??= this.#allUnits().flatMap((unit) =>
      rangesOf(unit, unit.root).map((range) => ({ ...range, unit })),
    );
    return this.#unitRanges.find((range) => address >= range.start && address < range.end)?.unit;
  }

  #sequencesOf(unit: Unit | undefined): readonly PlacedSequence[] {
    let sequences = this.#sequences.get(unit);
    if (sequences === undefined) {
      const programs = unit === undefined ? this.#loosePrograms() : [unit.lines];
      sequences = programs.flatMap(
        (program) => program?.sequences.map((sequence) => ({ ...sequence, program })) ?? [],
      );
      this.#sequences.set(unit, sequences);
    }
    return sequences;
  }

  /** All line programs, when there are no units that lead to them. */
  #loosePrograms(): LineProgram[] {
    const programs: LineProgram[] = [];
    if (this.#allUnits().length > 0) return programs;
    const { size } = this.#sections.get('.debug_line');
    for (let offset = 0; offset < size; ) {
      const program = new LineProgram(this.#sections, offset);
      programs.push(program);
      offset = program.next;
    }
    return programs;
  }

  #functionsOf(unit: Unit): readonly FunctionScope[] {
    let functions = this.#functions.get(unit);
    if (functions === undefined) {
      functions = readFunctions(unit);
      this.#functions.set(unit, functions);
    }
    return functions;
  }
}

/** Index of the last number that is not above `target`, in a growing list whose first is not above it. */
function lastAtOrBelow(sorted: readonly number[], target: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sorted[middle]! <= target) low = middle;
    else high = middle - 1;
  }
  return low;
}
