import { parseArgs } from 'node:util';
import { InputError } from '../bytes/index.ts';
import { closest } from './suggest.ts';

export interface OptionDefinition {
  /** Without the dashes. */
  readonly name: string;
  readonly short?: string;
  /** What stands for the value in the help; without it the option is a switch, and `--no-NAME` turns it off. */
  readonly value?: string;
  readonly help: string;
}

export interface ParsedOptions {
  readonly positionals: readonly string[];
  /** The last value given. */
  value(name: string): string | undefined;
  /** `undefined` when neither `--NAME` nor `--no-NAME` was given. */
  flag(name: string): boolean | undefined;
}

/** Node's own parser under messages that say what to do. Throws `InputError`. */
export function parseOptions(
  command: string,
  args: readonly string[],
  definitions: readonly OptionDefinition[],
): ParsedOptions {
  const known = new Map(definitions.map((each) => [each.name, each]));
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(
      definitions.map(({ name, short, value }) => [
        name,
        {
          type: value === undefined ? ('boolean' as const) : ('string' as const),
          ...(short === undefined ? {} : { short }),
        },
      ]),
    ),
  });
  const positionals: string[] = [];
  const values = new Map<string, string>();
  const flags = new Map<string, boolean>();
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    const definition = known.get(name);
    const negated = definition === undefined && name.startsWith('no-') ? known.get(name.slice(3)) : undefined;
    if (definition?.value !== undefined) {
      if (value === undefined) {
        throw new InputError(`Option ${rawName} needs a value: ${rawName}=${definition.value}`);
      }
      values.set(name, value);
    } else if (value !== undefined && (definition ?? negated) !== undefined) {
      throw new InputError(`Option ${rawName} takes no value, "${value}" was given`);
    } else if (definition !== undefined) flags.set(name, true);
    else if (negated !== undefined && negated.value === undefined) flags.set(negated.name, false);
    else throw unknownOption(command, rawName, definitions);
  }
  return { positionals, value: (name) => values.get(name), flag: (name) => flags.get(name) };
}

function unknownOption(
  command: string,
  rawName: string,
  definitions: readonly OptionDefinition[],
): InputError {
  const guess = closest(
    rawName,
    definitions.flatMap(({ name, value }) => [`--${name}`, ...(value === undefined ? [`--no-${name}`] : [])]),
  );
  const way = guess === undefined ? '' : `did you mean ${guess}? `;
  return new InputError(`Unknown option ${rawName}: ${way}"ringside ${command} --help" lists them all`);
}

/** The options as lines of a help text. */
export function formatOptions(definitions: readonly OptionDefinition[]): string {
  const rows = definitions.map(({ name, short, value, help }) => {
    const long = value === undefined ? `--${name}` : `--${name} ${value}`;
    return [short === undefined ? `    ${long}` : `-${short}, ${long}`, help] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows
    .map(([left, help]) => `  ${left.padEnd(width)}${help.replaceAll('\n', `\n  ${' '.repeat(width)}`)}\n`)
    .join('');
}
