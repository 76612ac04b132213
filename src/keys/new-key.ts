import type { Clock } from "../core/runtime/clock.ts";

/** How many reads of the database unknown keys may cause in `period`: a client that invents names must not keep it busy. */
const maxReads = 20;

/** Milliseconds. */
const period = 10_000;

/** The longest header that is read, in characters. Those of tokenpair have about 120. */
const maxHeaderLength = 512;

/**
 * Returns the `kid` in the header of a token that isn't verified.
 *
 * @returns `null` if it isn't a name that tokenpair gives to the keys and secrets of the key ring.
 */
export function findKid(token: string): string | null {
  const headerEnd = token.indexOf(".");
  if (headerEnd < 1 || headerEnd > maxHeaderLength) return null;
  try {
    const kid: unknown = JSON.parse(Buffer.from(token.slice(0, headerEnd), "base64url").toString())?.kid;
    return typeof kid === "string" && /^(?:r\d{1,9}|[\w-]{16}|[\w-]{43})$/.test(kid) ? kid : null;
  } catch {
    return null;
  }
}

/** Creates a function that returns whether an unknown key may cause another read now. */
export function createReadLimit({ monotonic }: Pick<Clock, "monotonic">): () => boolean {
  let since = Number.NEGATIVE_INFINITY;
  let reads = 0;
  return () => {
    if (monotonic() - since > period) {
      since = monotonic();
      reads = 0;
    }
    reads += 1;
    return reads <= maxReads;
  };
}
