import { InputError } from '../bytes/index.ts';

const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  min: 60e9,
  h: 3600e9,
};

/** Reads `60s`, `1.5s`, `250ms`, `2m`; a bare number is seconds. Throws `InputError`, naming the option. */
export function parseDurationNs(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(text.trim());
  const unit = match === null ? undefined : UNIT_NS[match[2] === '' ? 's' : match[2]!];
  const ns = match === null || unit === undefined ? Number.NaN : Math.round(Number(match[1]) * unit);
  // Beyond 2^53 ns (104 days) virtual time would no longer be exact.
  if (!(ns <= Number.MAX_SAFE_INTEGER)) {
    throw new InputError(
      `Cannot use ${option} ${text}: give a time like 60s, 250ms or 2m, of at most 104 days`,
    );
  }
  return ns;
}
