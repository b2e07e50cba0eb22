import { FormatError, UnsupportedError } from '../../bytes/index.ts';
import { LineTable, type SourceLocation } from '../../dwarf/index.ts';
import { ElfFile } from '../../elf/index.ts';
import type { CodePlace } from './crash.ts';

/** A place in source text: file (relative to where it was compiled), line, function, and the calls it was inlined through. */
export type SourcePlace = SourceLocation;

interface DebugInformation {
  readonly elf: ElfFile;
  readonly lines: LineTable;
}

/** What has been read of a module's file, for as long as somebody has the file. */
const read = new WeakMap<Uint8Array, DebugInformation>();

/** The source line of a place, where the module's file has debug information that can be read. */
export function sourceOf(place: CodePlace): SourcePlace | undefined {
  if (place.module === undefined) return undefined;
  try {
    const { elf, lines } = debugInformation(place.module.file);
    const section = elf.section(place.module.section);
    if (section === undefined) return undefined;
    const location = lines.at(section.index, place.module.offset);
    if (location === undefined || location.line === 0) return undefined;
    const directories = new Set(lines.units.map((unit) => `${unit.compilationDirectory}/`));
    const relative = (file: string): string => {
      for (const directory of directories)
        if (file.startsWith(directory)) return file.slice(directory.length);
      return file;
    };
    return {
      ...location,
      file: relative(location.file),
      inlinedFrom: location.inlinedFrom.map((caller) => ({ ...caller, file: relative(caller.file) })),
    };
  } catch (error) {
    // debug information that cannot be read takes nothing from the rest
    if (error instanceof FormatError || error instanceof UnsupportedError) return undefined;
    throw error;
  }
}

function debugInformation(file: Uint8Array): DebugInformation {
  let information = read.get(file);
  if (information === undefined) {
    const elf = new ElfFile(file);
    information = { elf, lines: new LineTable(elf) };
    read.set(file, information);
  }
  return information;
}
