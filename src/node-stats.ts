import type { Stats } from "./auth-results.ts";
import { AuthError } from "./core/errors.ts";
import type { Clock } from "./core/runtime/clock.ts";
import type { Deps } from "./flows/deps.ts";
import type { Keys } from "./keys/keys.ts";

/** Returns the state of this node's keys. */
export function toKeyStats(keys: Pick<Keys, "current" | "isReadable">, { now }: Pick<Clock, "now">): Stats["keys"] {
  try {
    const { tokens, signingSince } = keys.current();
    const { kid, algorithm } = tokens.access;
    const age = signingSince === null ? null : Math.max(0, now() - signingSince);
    return { kid, algorithm, age, isReadable: keys.isReadable() };
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    return { kid: null, algorithm: null, age: null, isReadable: keys.isReadable() };
  }
}

/** Returns what the readers of the revocation feed cost this node. */
export function toReaderStats({ readers }: Pick<Deps, "readers">): Stats["readers"] {
  const { lag, ...stats } = readers.stats();
  return { ...stats, lagSeconds: lag / 1000 };
}
