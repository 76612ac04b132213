import type { AccessClaims } from "../core/claims.ts";
import { readTime } from "./claim-checks.ts";
import { deepFreeze } from "./strict-json.ts";

/** Remembers the claims of access tokens that have been verified. */
export interface ClaimsCache {
  /**
   * What was remembered of exactly this token, every character of it, if it is valid at `now`, whole seconds since the epoch.
   * Of one that is not, the verification itself says why.
   */
  get(token: string, now: number): AccessClaims | undefined;
  /** Remembers the claims of a genuine token, and freezes them deeply, as they are handed out again. */
  set(token: string, claims: AccessClaims): void;
}

interface Entry {
  readonly token: string;
  readonly claims: AccessClaims;
  /** The later of `iat` and `nbf`. */
  readonly validFrom: number;
}

/** The longest token that is remembered, in characters; a bound for the memory. */
const maxLength = 2_048;

/** How many characters at the end of a token an entry is found by: 258 bits of the signature, all of it in HS256. */
const keyLength = 43;

const toKey = (token: string) => token.slice(-keyLength);

/**
 * A cache of at most `size` tokens, an odd size being rounded up. It has two halves: what is used moves into the younger
 * one, and when that is full, the older one is dropped whole. So a token stays while fewer than `size / 2` others are used
 * between two uses of its own. `leeway` is in seconds.
 *
 * No time tells how much of a guess is right: a Map compares keys only where their seeded hashes agree, and the rest of
 * the token is compared only for whoever has the signature.
 */
export function createClaimsCache(size: number, leeway: number): ClaimsCache {
  if (size === 0) return { get: () => undefined, set: () => {} };
  const half = Math.ceil(size / 2);
  let younger = new Map<string, Entry>();
  let older = younger;

  function put(entry: Entry): void {
    if (younger.size >= half) {
      older = younger;
      younger = new Map();
    }
    younger.set(toKey(entry.token), entry);
  }

  return {
    get(token, now) {
      const key = toKey(token);
      const young = younger.get(key);
      const entry = young ?? older.get(key);
      if (entry?.token !== token) return undefined;
      if (entry.validFrom > now + leeway || now >= entry.claims.expiresAt + leeway) return undefined;
      if (young === undefined) put(entry);
      return entry.claims;
    },
    set(token, claims) {
      deepFreeze(claims);
      if (token.length > maxLength) return;
      // A copy: what was cut out of a header would keep the whole header in memory.
      const validFrom = Math.max(claims.issuedAt, readTime(claims.payload, "nbf") ?? 0);
      put({ token: Buffer.from(token).toString(), claims, validFrom });
    },
  };
}
