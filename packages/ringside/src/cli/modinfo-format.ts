/** A `.modinfo` or signature entry as kmod lists it. */
export interface InfoLine {
  readonly key: string;
  readonly value: string;
}

/** What several `parm` and `parmtype` entries say about one parameter. */
interface Parameter {
  readonly name: string;
  description?: string;
  type?: string;
}

/** Parameters gathered from `parm=NAME:TEXT` and `parmtype=NAME:TYPE`, last one first, as kmod prints them. */
class ParameterList {
  readonly #byName = new Map<string, Parameter>();

  /** Returns kmod's complaint when the entry has no colon. */
  add({ key, value }: InfoLine): string | undefined {
    const colon = value.indexOf(':');
    if (colon < 0) return `Found invalid "${key}=${value}": missing ':'`;
    const name = value.slice(0, colon);
    const parameter: Parameter = this.#byName.get(name) ?? { name };
    if (key === 'parm') parameter.description = value.slice(colon + 1);
    else parameter.type = value.slice(colon + 1);
    this.#byName.set(name, parameter);
    return undefined;
  }

  /** @param bareType how a parameter with a type and no description is written. */
  format(bareType: (type: string) => string): string[] {
    return [...this.#byName.values()].reverse().map(({ name, description, type }) => {
      if (description === undefined) return `${name}:${bareType(type!)}`;
      return type === undefined ? `${name}:${description}` : `${name}:${description} (${type})`;
    });
  }
}

export interface FormattedInfo {
  readonly text: string;
  /** Complaints for the error output, without program name and line break. */
  readonly errors: readonly string[];
}

const isParameter = ({ key }: InfoLine): boolean => key === 'parm' || key === 'parmtype';

/**
 * kmod's print of a module's entries: all of them with parameters last, or the values of one field.
 *
 * Source: kmod 30, tools/modinfo.c (behaviour).
 */
export function formatInfo(
  lines: readonly InfoLine[],
  field: string | undefined,
  separator: '\n' | '\0',
): FormattedInfo {
  const parameters = new ParameterList();
  const errors: string[] = [];
  let text = '';
  for (const line of lines) {
    if (isParameter(line) && (field === undefined || field === 'parm')) {
      const error = parameters.add(line);
      if (error !== undefined) errors.push(error);
    } else if (field === undefined) {
      text += `${separator === '\0' ? `${line.key}=` : padKey(line.key)}${line.value}${separator}`;
    } else if (line.key === field && field !== 'parm') {
      text += `${line.value}${separator}`;
    }
  }
  if (field === 'parm')
    text += parameters
      .format((type) => ` (${type})`)
      .map((line) => line + separator)
      .join('');
  if (field === undefined) {
    text += parameters
      .format((type) => type)
      .map((line) => padKey('parm') + line + separator)
      .join('');
  }
  return { text, errors };
}

/** `KEY:` and spaces up to column 16. A longer key gets as many spaces as it is too long: printf's `%-*s`. */
export function padKey(key: string): string {
  return `${key}:${' '.repeat(Math.abs(15 - key.length))}`;
}
