import { element } from "./dom.ts";

/** Formats seconds like a clock: `0:07`, `29:12`, `1:00:00`. Negative numbers become `0:00`. */
export function toClockText(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const twoDigits = (n: number) => String(n).padStart(2, "0");
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${twoDigits(rest)}` : `${minutes}:${twoDigits(rest)}`;
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** Returns how long ago `then` was: `just now`, `5 minutes ago`, `yesterday`. Both times are in seconds since the epoch. */
export function toAgeText(then: number, now: number): string {
  const age = now - then;
  if (age < 60) return "just now";
  if (age < 3600) return relative.format(-Math.floor(age / 60), "minute");
  if (age < 86_400) return relative.format(-Math.floor(age / 3600), "hour");
  return relative.format(-Math.floor(age / 86_400), "day");
}

const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Returns a `time` element. The time is in seconds since the epoch, and shown in the browser's time zone. */
export function toDateTime(seconds: number): HTMLTimeElement {
  const date = new Date(seconds * 1000);
  return element("time", { datetime: date.toISOString() }, dateTime.format(date));
}
