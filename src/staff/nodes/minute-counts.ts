/** The number of minutes that are counted. */
export const countedMinutes = 60;

/** Counts events in each of the last 60 minutes. */
export interface MinuteCounts {
  /** Counts an event. */
  add(now: number): void;
  /** Returns the counts, the oldest minute first. The last one is the current minute. */
  series(now: number): readonly number[];
}

/** Creates counts that are 0. Times are whole seconds since the epoch. */
export function createMinuteCounts(): MinuteCounts {
  const counts = new Array<number>(countedMinutes).fill(0);
  let minute = 0;

  function moveTo(now: number): void {
    const current = Math.floor(now / 60);
    // If the clock was set back, the current minute continues.
    const passed = Math.max(0, current - minute);
    for (let step = 1; step <= Math.min(passed, countedMinutes); step++) counts[(minute + step) % countedMinutes] = 0;
    if (passed > countedMinutes) counts.fill(0);
    minute = Math.max(minute, current);
  }

  return {
    add(now) {
      moveTo(now);
      const index = minute % countedMinutes;
      counts[index] = (counts[index] ?? 0) + 1;
    },
    series(now) {
      moveTo(now);
      return counts.map((_, index) => counts[(minute + 1 + index) % countedMinutes] ?? 0);
    },
  };
}
