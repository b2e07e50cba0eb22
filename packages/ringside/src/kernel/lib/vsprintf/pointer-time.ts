import { asAddr } from '../../../bytes/index.ts';
import { spec as makeSpec } from './format-spec.ts';
import { putError, putNumber } from './number.ts';
import { Output } from './output.ts';
import type { PointerConversion } from './pointer.ts';

/** A broken-down time in the manner of C: year since 1900, month from 0. */
interface BrokenDownTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** `%pt[RT][dt][r][s]`: a `struct rtc_time` or a `time64_t`. */
export function putTime(c: PointerConversion): void {
  const { f, ptr, spec, ext } = c;
  if (f.refuses(ptr, spec)) return;
  if (ext(1) === 'R') {
    f.out.put(timeText(c, rtcTime(c)));
    return;
  }
  if (ext(1) === 'T') {
    f.out.put(timeText(c, fromTime64(f.services.memory.readI64(ptr))));
    return;
  }
  putError(f.out, '(%pt?)', spec);
}

function rtcTime({ f, ptr }: PointerConversion): BrokenDownTime {
  const { memory, types } = f.services;
  const layout = types.struct('rtc_time');
  const field = (name: string): number => memory.readI32(asAddr(ptr + layout.offsetOf(name)));
  return {
    year: field('tm_year'),
    month: field('tm_mon'),
    day: field('tm_mday'),
    hour: field('tm_hour'),
    minute: field('tm_min'),
    second: field('tm_sec'),
  };
}

/** Proleptic Gregorian date of a count of seconds since 1970. */
function fromTime64(seconds: bigint): BrokenDownTime {
  const secondOfDay = Number(((seconds % 86400n) + 86400n) % 86400n);
  const days = (seconds - BigInt(secondOfDay)) / 86400n;
  // Days from 1 March of year 0, in eras of 400 years, so that leap days are at the ends of years.
  const shifted = days + 719468n;
  const era = (shifted >= 0n ? shifted : shifted - 146096n) / 146097n;
  const dayOfEra = Number(shifted - era * 146097n);
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 2 : fromMarch - 10;
  const year = era * 400n + BigInt(yearOfEra) + (month < 2 ? 1n : 0n) - 1900n;
  return {
    year: Number(BigInt.asIntN(32, year)),
    month,
    day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
    hour: Math.floor(secondOfDay / 3600),
    minute: Math.floor(secondOfDay / 60) % 60,
    second: secondOfDay % 60,
  };
}

/** A number of at least `width` digits; a negative one as its unsigned 64-bit pattern, as the kernel prints it. */
function digits(value: number, width: number): string {
  const out = new Output(32);
  putNumber(out, BigInt.asUintN(64, BigInt(value)), makeSpec({ width, zero: true }));
  return out.text;
}

function timeText({ ext }: PointerConversion, time: BrokenDownTime): string {
  let i = 2;
  const only = ext(i);
  if (only === 'd' || only === 't') i++;
  let raw = false;
  let separator = 'T';
  for (; ext(i) === 'r' || ext(i) === 's'; i++) {
    if (ext(i) === 'r') raw = true;
    else separator = ' ';
  }
  const year = raw ? time.year : (time.year + 1900) | 0;
  const month = raw ? time.month : (time.month + 1) | 0;
  const date = `${digits(year, 4)}-${digits(month, 2)}-${digits(time.day, 2)}`;
  const clock = `${digits(time.hour, 2)}:${digits(time.minute, 2)}:${digits(time.second, 2)}`;
  if (only === 'd') return date;
  if (only === 't') return clock;
  return date + separator + clock;
}
