/** Who does something in the demonstration. The server uses the same names. */
export type Lane = "tab" | "second" | "attacker" | "node";

/** Whether a line is good or bad news for the user. `odd`: something went wrong, and it does no harm. */
export type Tone = "good" | "odd" | "bad";

/** A line of the timeline. */
export interface Line {
  /** When it happened: milliseconds since the epoch. */
  readonly at: number;
  readonly lane: Lane;
  readonly tone: Tone;
  readonly title: string;
  readonly detail: string;
}

/** Who holds what now, as the server says. */
export interface DemoState {
  readonly generation: number;
  readonly rotatedAt: number | null;
  readonly attacker: number | null;
  readonly attackerIsIn: boolean;
  readonly tabIsOut: boolean;
  readonly nodeIsOut: boolean;
  readonly canStartOver: boolean;
}

/** The sentence that says how it ended. */
export interface Outcome {
  readonly tone: Tone;
  readonly text: string;
}

/** A run of the demonstration on the server. */
export interface RunInfo {
  readonly id: string;
  /** The server's setting, in seconds. */
  readonly reuseInterval: number;
}

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
