import type { DemoState, Line, Outcome, RunInfo } from "../../server/demo/lines.ts";

export type { DemoState, Lane, Line, Outcome } from "../../server/demo/lines.ts";

/** What is done with the events of a run. */
export interface EventHandlers {
  readonly run: (run: RunInfo) => void;
  readonly line: (line: Line) => void;
  readonly state: (state: DemoState) => void;
  readonly outcome: (outcome: Outcome) => void;
  /** The stream was lost. The server has forgotten the run. */
  readonly lost: () => void;
}

/** Follows the events of a new run. Returns a function that ends it. */
export function followEvents(handlers: EventHandlers): () => void {
  const source = new EventSource("/demo/events/");
  for (const name of ["run", "line", "state", "outcome"] as const) {
    source.addEventListener(name, ({ data }: MessageEvent<string>) => handlers[name](JSON.parse(data)));
  }
  source.addEventListener("error", () => {
    // It would connect again to a new run.
    source.close();
    handlers.lost();
  });
  return () => source.close();
}

/** Returns the time now, in milliseconds since the epoch. The server is on the same machine. */
export const now = (): number => performance.timeOrigin + performance.now();
