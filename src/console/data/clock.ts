/** The server's clock, estimated by this tab. Whole seconds since the epoch. */
export interface Clock {
  now(): number;
  /** Takes over what the server said. */
  adjust(serverNow: number): void;
}

/** Creates a clock that shows the browser's time until the server has said its own. */
export function createClock(): Clock {
  let offset = 0;
  const read = () => Math.floor(Date.now() / 1_000);
  return {
    now: () => read() + offset,
    adjust(serverNow) {
      const difference = serverNow - read();
      // A second is the time that a response takes.
      offset = Math.abs(difference) <= 1 ? 0 : difference;
    },
  };
}
