import type { RefreshLine, SettingsLine } from "./format.ts";
import type { SessionHistory } from "./session-history.ts";

/** Whether a refresh was answered with tokens. */
export const gaveTokens = ({ outcome }: RefreshLine) =>
  outcome === "rotated" || outcome === "replayed" || outcome === "not_rotated";

/** What is certain, and what is possible, about the time at which a presented token had been spent already. */
export interface Spending {
  /** Spent for good when it was presented: no answer but 401 is right, and reuse is detected. */
  isSurelySpent(presented: RefreshLine): boolean;
  /** Spent for good, and refused before it expired: the server must have revoked the session, if it was live. */
  isReuse(presented: RefreshLine): boolean;
  /** Perhaps spent for good when it was presented: the session may rightly have been revoked for it. */
  isPerhapsSpent(presented: RefreshLine): boolean;
}

/** Whether a refresh was answered with 401 although the token had certainly not expired. */
export function isRefusedInTime({ token, end, outcome }: RefreshLine, { clockSkew }: SettingsLine): boolean {
  const isRefused = outcome === "refused" || outcome === "reuse_detected";
  return isRefused && token.exp !== undefined && end + clockSkew < token.exp * 1_000;
}

/**
 * The server took its decision at some time between a request's start and its end; all that is used here is that. The
 * store's time is whole seconds, so an interval of n of them may be almost n + 1 long.
 */
export function toSpending({ refreshes }: SessionHistory, settings: SettingsLine): Spending {
  const { reuseInterval, clockSkew } = settings;
  const generations = [...refreshes.keys()];
  const rotations = new Map(
    [...refreshes].map(([generation, lines]) => [generation, lines.filter(({ outcome }) => outcome !== "not_rotated")]),
  );
  const at = (generation: number, except?: RefreshLine) =>
    (rotations.get(generation) ?? []).filter((line) => line !== except);
  const gone = new Map(generations.map((generation) => [generation, min(at(generation).filter(gaveTokens), "end")]));
  const going = new Map(
    generations.map((generation) => [generation, min(at(generation).filter(mayHaveSpent), "start")]),
  );

  /** The attempts of which one has rotated this generation; null where that was not recorded. */
  function toKnownAttempts(generation: number): ReadonlySet<string | null> | null {
    const lines = at(generation);
    const rotated = lines.filter(({ outcome }) => outcome === "rotated");
    const candidates = rotated.length > 0 ? rotated : lines.filter(({ outcome }) => outcome === "unknown");
    if (candidates.length === 0 || candidates.some(({ attempt }) => attempt === undefined)) return null;
    return new Set(candidates.map(({ attempt }) => attempt ?? null));
  }

  function isSurelySpent(presented: RefreshLine): boolean {
    const { token, start, attempt } = presented;
    if ((gone.get(token.gen + 1) ?? Infinity) + clockSkew <= start) return true;
    const known = toKnownAttempts(token.gen);
    const isForeign = attempt === null || (attempt !== undefined && known !== null && !known.has(attempt));
    const since = min(at(token.gen, presented).filter(gaveTokens), "end");
    return isForeign && since + (reuseInterval + 1) * 1_000 + clockSkew < start;
  }

  return {
    isSurelySpent,

    isReuse: (presented) =>
      presented.outcome === "reuse_detected" || (isRefusedInTime(presented, settings) && isSurelySpent(presented)),

    isPerhapsSpent(presented) {
      const { token, end, attempt } = presented;
      const isPast = generations.some((n) => n > token.gen && (going.get(n) ?? Infinity) - clockSkew < end);
      if (isPast) return true;
      const others = at(token.gen, presented).filter((line) => mayHaveSpent(line) && line.start - clockSkew < end);
      if (typeof attempt === "string" && others.every((line) => line.attempt === attempt)) return false;
      return others.length > 0 && end + clockSkew > min(others, "start") + reuseInterval * 1_000;
    },
  };
}

const mayHaveSpent = (line: RefreshLine) => gaveTokens(line) || line.outcome === "unknown";

const min = (lines: readonly RefreshLine[], edge: "start" | "end") =>
  lines.reduce((least, line) => Math.min(least, line[edge]), Infinity);
