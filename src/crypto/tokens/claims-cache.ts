import type { AccessClaims } from "../../core/claims.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { deepFreeze } from "../strict-json.ts";
import { readTime } from "./claim-checks.ts";

/** Caches the claims of verified access tokens. */
export interface ClaimsCache {
  /**
   * Returns the claims of exactly this token if it is valid at `now`, in whole seconds since the epoch. All characters of
   * the token are compared. Returns `undefined` for any other token, even for an expired one: verifying that token shows
   * why it is refused.
   */
  get(token: string, now: number): AccessClaims | undefined;
  /** Caches the claims of a genuine token. Freezes them deeply, because several requests get the same object. */
  set(token: string, claims: AccessClaims): void;
  /** Forgets every token. */
  clear(): void;
}

interface Entry {
  readonly token: string;
  readonly claims: AccessClaims;
  /** The later of the times in `iat` and `nbf`. */
  readonly validFrom: number;
}

/** The maximum length of a token that is cached, in characters. It limits the memory. */
const maxLength = 2_048;

/**
 * The number of characters at the end of a token that are its key: 258 bits of the signature. With HS256, this is the whole
 * signature.
 */
const keyLength = 43;

const toKey = (token: string) => token.slice(-keyLength);

/**
 * Creates a cache of at most `size` tokens. It consists of two halves. A token that is used moves to the younger half. When
 * that half is full, the older half is dropped. So a token stays in the cache if fewer than `size / 2` other tokens are
 * used between two uses of it.
 *
 * The time of a look-up doesn't reveal how much of a guessed signature is correct: a Map compares keys only if their seeded
 * hashes are equal, and the rest of a token is compared only if its signature is correct.
 *
 * @param size the maximum number of tokens, which is rounded up to an even number. 0 turns the cache off.
 */
export function createClaimsCache(
  size: number,
  { leeway, clockTolerance }: Pick<Settings, "leeway" | "clockTolerance">,
): ClaimsCache {
  if (size === 0) return { get: () => undefined, set: () => {}, clear: () => {} };
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
      if (entry.validFrom > now + clockTolerance || now >= entry.claims.expiresAt + leeway) return undefined;
      if (young === undefined) put(entry);
      return entry.claims;
    },
    set(token, claims) {
      deepFreeze(claims);
      if (token.length > maxLength) return;
      // A copy: a token that was cut out of a header would keep the whole header in memory.
      const validFrom = Math.max(claims.issuedAt, readTime(claims.payload, "nbf") ?? 0);
      put({ token: Buffer.from(token).toString(), claims, validFrom });
    },
    clear() {
      younger = new Map();
      older = younger;
    },
  };
}
