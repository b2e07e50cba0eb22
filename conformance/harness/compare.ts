import { normalise } from './normalise.ts';

const CONTEXT_LINES = 2;

/**
 * @returns undefined when both say the same after normalising; else the difference, line by line: `-` expected, `+` actual.
 * Lines recorded from the console of a machine that panicked have no level (`<?>`) and agree with any.
 */
export function compareTranscripts(
  expected: string,
  actual: string,
  registers: ReadonlySet<string>,
): string | undefined {
  const from = normalise(expected, registers);
  const to = normalise(actual, registers);
  const lines = difference(from, to);
  if (lines.every(([sign]) => sign === ' ')) return undefined;
  return lines
    .filter((_, i) =>
      lines.slice(Math.max(0, i - CONTEXT_LINES), i + CONTEXT_LINES + 1).some(([sign]) => sign !== ' '),
    )
    .map(([sign, text]) => `  ${sign} ${text}`)
    .join('\n');
}

type Line = readonly [sign: ' ' | '-' | '+', text: string];

/** The longest common subsequence, shown as a diff. */
function difference(from: readonly string[], to: readonly string[]): Line[] {
  const width = to.length + 1;
  const common = new Uint32Array((from.length + 1) * width);
  for (let i = from.length - 1; i >= 0; i--) {
    for (let j = to.length - 1; j >= 0; j--) {
      common[i * width + j] = agree(from[i]!, to[j]!)
        ? common[(i + 1) * width + j + 1]! + 1
        : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
    }
  }
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < from.length || j < to.length) {
    if (i < from.length && j < to.length && agree(from[i]!, to[j]!)) {
      lines.push([' ', to[j]!]);
      i++;
      j++;
    } else if (
      j === to.length ||
      (i < from.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!)
    ) {
      lines.push(['-', from[i]!]);
      i++;
    } else {
      lines.push(['+', to[j]!]);
      j++;
    }
  }
  return lines;
}

function agree(a: string, b: string): boolean {
  if (a === b) return true;
  return (a.startsWith('| <?> ') || b.startsWith('| <?> ')) && a.slice(6) === b.slice(6);
}
