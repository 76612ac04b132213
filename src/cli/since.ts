import { InvalidArgumentError } from "commander";

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/**
 * Parses a duration such as "90s", "15m", "1h", "2d" or "1w".
 *
 * @returns the duration in seconds.
 * @throws InvalidArgumentError if `text` isn't a duration.
 */
export function parseDuration(text: string): number {
  const [, count, unit = ""] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  if (count !== undefined) return Number(count) * (unitSeconds[unit] ?? 1);
  throw new InvalidArgumentError('Use a duration such as "90s", "15m", "1h" or "2d".');
}

const isoTime = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d))?$/;

/**
 * Parses a time in the past. It is a duration before `now`, for example "90s", "15m", "1h", "2d" or "1w", an ISO 8601 date,
 * which means midnight in UTC, or a date and time with a time zone.
 *
 * @param now the current time, in whole seconds since the epoch.
 * @returns the time in whole seconds since the epoch.
 * @throws InvalidArgumentError if `text` has none of these forms.
 */
export function parseSince(text: string, now: number): number {
  const [, count, unit = ""] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  if (count !== undefined) return now - Number(count) * (unitSeconds[unit] ?? 1);
  const milliseconds = isoTime.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(milliseconds)) return Math.floor(milliseconds / 1000);
  throw new InvalidArgumentError('Use a time such as "1h", "2d" or "2026-01-31T12:00:00Z".');
}
