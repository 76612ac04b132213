/** In which time zone times are shown. */
export type Zone = "utc" | "local";

const two = (n: number) => String(n).padStart(2, "0");

const steps = [
  [86_400, "day", "days"],
  [3_600, "h", "h"],
  [60, "min", "min"],
] as const;

/** Returns a duration in its largest unit: `12 min`, `3 h`, `1 day`, `29 days`. */
export function toDuration(seconds: number): string {
  for (const [length, one, many] of steps) {
    const count = Math.floor(seconds / length);
    if (count > 0) return `${count} ${count === 1 ? one : many}`;
  }
  return `${Math.max(0, Math.floor(seconds))} s`;
}

/** Returns the seconds that a text of `toDuration` means. */
export function fromDuration(text: string): number {
  const [count, unit] = text.split(" ");
  const length = steps.find(([, one, many]) => unit === one || unit === many)?.[0] ?? 1;
  return Number(count) * length;
}

/** Returns how long ago `then` was: `just now`, `12 min ago`. */
export function toAge(then: number, now: number): string {
  return now - then < 60 ? "just now" : `${toDuration(now - then)} ago`;
}

/** Returns what a clock shows that counts down: `8:12`. */
export function toCountdown(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${two(Math.floor(seconds % 60))}`;
}

/** Returns the date of a time: `2026-03-02`. */
export function toDateText(seconds: number, zone: Zone): string {
  const date = new Date(seconds * 1_000);
  return zone === "utc"
    ? date.toISOString().slice(0, 10)
    : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Returns the time of day: `13:02:40`. */
export function toTimeText(seconds: number, zone: Zone): string {
  const date = new Date(seconds * 1_000);
  return zone === "utc"
    ? date.toISOString().slice(11, 19)
    : `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Returns a time as ISO 8601 has it. */
export function toIso(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace(".000Z", "Z");
}

/** Returns the name of a zone: `UTC`, or the offset of this browser, such as `UTC+1`. */
export function toZoneName(zone: Zone, at: number): string {
  if (zone === "utc") return "UTC";
  const minutes = -new Date(at * 1_000).getTimezoneOffset();
  if (minutes === 0) return "UTC+0";
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${Math.floor(size / 60)}${size % 60 === 0 ? "" : `:${two(size % 60)}`}`;
}

/** Converts a time to the value of a `datetime-local` field, which has no zone: UTC. */
export function toFieldTime(iso: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.exec(iso)?.[0] ?? "";
}

/** Converts the value of a `datetime-local` field, understood as UTC, to ISO 8601. */
export function fromFieldTime(value: string): string {
  return value === "" ? "" : `${value.slice(0, 16)}:00Z`;
}
