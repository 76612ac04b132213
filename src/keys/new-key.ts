import type { Clock } from "../core/runtime/clock.ts";

/**
 * How often unknown keys may cause a read of the database in each `period`. The limit keeps clients that invent key names
 * from overloading the database.
 */
const maxReads = 20;

/** The period of the limit, in milliseconds. */
const period = 10_000;

/** The maximum length of a header that is read, in characters. tokenpair's headers have about 120. */
const maxHeaderLength = 512;

/**
 * Returns the `kid` in the header of an unverified token.
 *
 * @returns the `kid`, or `null` if it doesn't have the form of the names in the key ring.
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
