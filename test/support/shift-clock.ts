/**
 * Sets the wall clock of a process to a wrong time: `CLOCK_AHEAD` is how many milliseconds it is ahead. The monotonic clock and
 * the timers stay as they are. Load it before the program, with `--import`.
 */
const ahead = Number(process.env["CLOCK_AHEAD"] ?? 0);
const GenuineDate = Date;

globalThis.Date = new Proxy(GenuineDate, {
  construct: (target, values, newTarget) =>
    Reflect.construct(target, values.length === 0 ? [GenuineDate.now() + ahead] : values, newTarget),
  get: (target, name) => (name === "now" ? () => GenuineDate.now() + ahead : Reflect.get(target, name)),
});
