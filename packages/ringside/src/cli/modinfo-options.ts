/** One option as getopt_long knows it. */
interface OptionSpec {
  readonly short: string;
  readonly long: string;
  readonly argument: boolean;
}

const specs: readonly OptionSpec[] = [
  { short: 'a', long: 'author', argument: false },
  { short: 'd', long: 'description', argument: false },
  { short: 'l', long: 'license', argument: false },
  { short: 'p', long: 'parameters', argument: false },
  { short: 'n', long: 'filename', argument: false },
  { short: '0', long: 'null', argument: false },
  { short: 'm', long: 'modname', argument: false },
  { short: 'F', long: 'field', argument: true },
  { short: 'k', long: 'set-version', argument: true },
  { short: 'b', long: 'basedir', argument: true },
  { short: 'V', long: 'version', argument: false },
  { short: 'h', long: 'help', argument: false },
];

const fieldOfOption = new Map([
  ['a', 'author'],
  ['d', 'description'],
  ['l', 'license'],
  ['p', 'parm'],
  ['n', 'filename'],
]);

export interface ModinfoOptions {
  readonly field: string | undefined;
  readonly separator: '\n' | '\0';
  /** `-m`: arguments are module names, never files. */
  readonly byName: boolean;
  readonly kernelVersion: string | undefined;
  readonly baseDirectory: string | undefined;
  readonly operands: readonly string[];
}

/**
 * Reads the command line as kmod's modinfo does with getopt_long: options anywhere before `--`, short ones
 * combined, long ones shortened where that is unambiguous, `--field=NAME` or `--field NAME`, the last of several
 * counts.
 */
export function parseModinfoOptions(
  args: readonly string[],
): ModinfoOptions | { readonly error: string } | { readonly print: 'help' | 'version' } {
  const operands: string[] = [];
  let field: string | undefined;
  let separator: '\n' | '\0' = '\n';
  let byName = false;
  let kernelVersion: string | undefined;
  let baseDirectory: string | undefined;
  let print: 'help' | 'version' | undefined;

  const apply = (option: OptionSpec, value: string): void => {
    field = fieldOfOption.get(option.short) ?? field;
    if (option.short === 'F') field = value;
    else if (option.short === '0') separator = '\0';
    else if (option.short === 'm') byName = true;
    else if (option.short === 'k') kernelVersion = value;
    else if (option.short === 'b') baseDirectory = value;
    else if (option.short === 'h') print ??= 'help';
    else if (option.short === 'V') print ??= 'version';
  };

  for (let index = 0; index < args.length && print === undefined; index++) {
    const arg = args[index]!;
    if (arg === '--') {
      operands.push(...args.slice(index + 1));
      break;
    }
    if (arg.startsWith('--')) {
      const [name, given] = splitOnce(arg.slice(2));
      const found = findLong(name, arg);
      if ('error' in found) return found;
      if (!found.argument && given !== undefined) {
        return { error: `option '--${found.long}' doesn't allow an argument` };
      }
      const value = found.argument ? (given ?? args[++index]) : '';
      if (value === undefined) return { error: `option '--${found.long}' requires an argument` };
      apply(found, value);
    } else if (arg.length > 1 && arg.startsWith('-')) {
      for (let at = 1; at < arg.length && print === undefined; at++) {
        const letter = arg[at]!;
        const option = specs.find((spec) => spec.short === letter);
        if (option === undefined) return { error: `invalid option -- '${letter}'` };
        if (!option.argument) {
          apply(option, '');
          continue;
        }
        const value = at + 1 < arg.length ? arg.slice(at + 1) : args[++index];
        if (value === undefined) return { error: `option requires an argument -- '${letter}'` };
        apply(option, value);
        break;
      }
    } else {
      operands.push(arg);
    }
  }
  if (print !== undefined) return { print };
  return { field, separator, byName, kernelVersion, baseDirectory, operands };
}

function splitOnce(text: string): [string, string | undefined] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)];
}

function findLong(name: string, arg: string): OptionSpec | { readonly error: string } {
  const exact = specs.find((spec) => spec.long === name);
  if (exact !== undefined) return exact;
  const candidates = specs.filter((spec) => spec.long.startsWith(name));
  if (candidates.length === 1) return candidates[0]!;
  if (candidates.length === 0) return { error: `unrecognized option '--${name}'` };
  const list = candidates.map((spec) => ` '--${spec.long}'`).join('');
  return { error: `option '${arg}' is ambiguous; possibilities:${list}` };
}
