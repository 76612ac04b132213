/** Who does something in the demonstration. */
export type Lane = "tab" | "second" | "attacker" | "node";

/** Whether a line is good or bad news for the user. `odd`: something went wrong or is lost, but the attacker gains nothing. */
export type Tone = "good" | "odd" | "bad";

/** A line of the timeline: something that has happened. */
export interface Line {
  /** When it happened: milliseconds since the epoch, with fractions. */
  readonly at: number;
  readonly lane: Lane;
  readonly tone: Tone;
  readonly title: string;
  readonly detail: string;
}

/** Who holds what now. */
export interface DemoState {
  /** The number of the newest refresh token. */
  readonly generation: number;
  /** The number of the refresh token that the user's browser holds. It is smaller if only the attacker got the newest one. */
  readonly tab: number;
  /** When it replaced the one before: milliseconds since the epoch. `null`: it is the first. */
  readonly rotatedAt: number | null;
  /** The number of the refresh token that the attacker holds; `null`: none. */
  readonly attacker: number | null;
  /** Whether the attacker has tokens that work. */
  readonly attackerIsIn: boolean;
  /** Whether this node knows that the session is revoked. */
  readonly tabIsOut: boolean;
  /** Whether the other node knows it. */
  readonly nodeIsOut: boolean;
  /** Whether the page can start over without a password, because the demonstration itself has revoked the session. */
  readonly canStartOver: boolean;
}

/** One sentence that says how it ended. */
export interface Outcome {
  readonly tone: Tone;
  readonly text: string;
  /** How long the attacker was logged in. Only if there was an attack. */
  readonly inside?: Comparison;
}

/** How long an attacker was logged in, as it is shown: here, and with a refresh token that is never replaced. */
export interface Comparison {
  readonly here: string;
  readonly elsewhere: string;
}

/** A run of the demonstration, as the stream begins with it. */
export interface RunInfo {
  readonly id: string;
  /** The setting `reuseInterval`, in seconds. */
  readonly reuseInterval: number;
}

/** Returns the time now, in milliseconds since the epoch, with fractions. It never goes back. */
export const now = (): number => performance.timeOrigin + performance.now();

/** Formats a duration: `0.4 ms`, `12 ms`, `3.2 s`. */
export function toDuration(milliseconds: number): string {
  if (milliseconds < 1) return `${milliseconds.toFixed(1)} ms`;
  return milliseconds < 1_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1_000).toFixed(1)} s`;
}

/** Formats a lifetime in its largest unit: `30 days`, `12 h`. */
export function toLifetime(seconds: number): string {
  const [length, one, many] =
    seconds >= 86_400 ? [86_400, "day", "days"] : seconds >= 3_600 ? [3_600, "h", "h"] : [60, "min", "min"];
  const count = Math.max(1, Math.round(seconds / length));
  return `${count} ${count === 1 ? one : many}`;
}
