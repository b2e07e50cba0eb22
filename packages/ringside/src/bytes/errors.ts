/**
 * The errors Ringside throws to its host. Five kinds exist and are never mixed: `FormatError` (bad bytes),
 * an errno (a negative number returned, as Linux does; never thrown through guest frames), a guest fault
 * (a value: registers, address, backtrace), `UnsupportedError` (an opcode, symbol or relocation Ringside
 * does not have) and `InvariantError` (always our own bug).
 */

/** Base of every error that Ringside throws on purpose. `code` is stable and may be matched by programs. */
export abstract class RingsideError extends Error {
  abstract readonly code: string;

  override get name(): string {
    return this.constructor.name;
  }
}

/** Where in the input the bad bytes are. */
export interface FormatErrorPlace {
  /** Section, table or member name, e.g. `.symtab`. */
  readonly section?: string;
  /** Offset in bytes from the start of the section, or of the file when no section is given. */
  readonly offset?: number;
}

/** The input's bytes are not what their format demands. */
export class FormatError extends RingsideError {
  readonly code = 'FORMAT';
  readonly section: string | undefined;
  readonly offset: number | undefined;

  constructor(message: string, place: FormatErrorPlace = {}, options?: ErrorOptions) {
    const where = [
      place.section === undefined ? undefined : `in ${place.section}`,
      place.offset === undefined ? undefined : `at offset 0x${place.offset.toString(16)}`,
    ].filter((part) => part !== undefined);
    super(where.length > 0 ? `${message} (${where.join(' ')})` : message, options);
    this.section = place.section;
    this.offset = place.offset;
  }
}

/** What is missing from Ringside, who needs it, and what the user can do. */
export interface UnsupportedDetail {
  /** What is missing: an opcode, a symbol, a relocation type, a file format. */
  readonly what: string;
  /** Who needs it, e.g. `my_init+0x12/0x30 [hello]`. */
  readonly neededBy?: string;
  /** The way out, as a sentence. */
  readonly advice?: string;
}

/** The input is right, but Ringside cannot do this yet. */
export class UnsupportedError extends RingsideError {
  readonly code = 'UNSUPPORTED';
  readonly detail: UnsupportedDetail;

  constructor(detail: UnsupportedDetail, options?: ErrorOptions) {
    const neededBy = detail.neededBy === undefined ? '' : `, needed by ${detail.neededBy}`;
    const advice = detail.advice === undefined ? '' : `; ${detail.advice}`;
    super(`Unsupported: ${detail.what}${neededBy}${advice}`, options);
    this.detail = detail;
  }
}

/** The user's input or options cannot be used; the message says why and what to do. */
export class InputError extends RingsideError {
  readonly code = 'INPUT';
}

/** A condition that only a bug of Ringside's own can break. */
export class InvariantError extends RingsideError {
  readonly code = 'INVARIANT';
}

/** Ends an exhaustive switch: a value the types rule out has arrived. */
export function unreachable(value: never, what: string): never {
  throw new InvariantError(`unexpected ${what}: ${String(value)}`);
}
