import { createHash } from "node:crypto";
import type { Clock } from "../core/runtime/clock.ts";
import { createVerifyingKeys, type VerifyingKeys } from "../crypto/keys/key-set.ts";
import { parseJwks } from "../crypto/keys/parse-jwks.ts";
import { RequestFailure } from "./request-failure.ts";

/** A JWK Set as the issuer publishes it. */
export interface PublishedKeys {
  readonly body: Uint8Array;
  /** The first 4 bytes of SHA-256 of the body. */
  readonly version: number;
}

/** The issuer's keys that a verifier has read, in memory, and the version that the feed names. */
export interface KnownKeys {
  /**
   * Stores the keys of a JWK Set, unless they are known already, or come from a node that is behind.
   *
   * @returns the names of the keys, if they are others than before; otherwise `null`.
   * @throws RequestFailure if the JWK Set has no key that can be used.
   */
  store(body: Uint8Array): readonly string[] | null;
  /** Notes the version that a frame names. @returns whether no other frame has named it before. */
  observe(version: number): boolean;
  /** Returns whether the feed names other keys than the known ones. */
  isOutdated(): boolean;
  /** Returns for how many milliseconds the feed has named other keys than the known ones. */
  outdatedFor(): number;
  /** The keys that verify; none before the first call of `store`. */
  readonly verifying: VerifyingKeys;
  /** The names of the keys. */
  readonly kids: readonly string[];
  /** The JWK Set of the keys; `null` before the first call of `store`. */
  readonly published: PublishedKeys | null;
  /** The version that the last frame has named; `null` before the first one. */
  readonly newest: number | null;
}

/** The keys of one JWK Set. */
interface Loaded extends PublishedKeys {
  readonly verifying: VerifyingKeys;
  readonly kids: readonly string[];
  readonly hash: string;
}

/**
 * Creates the keys of a verifier that has read none.
 *
 * @param onUnknown called for a key that isn't known. It returns `null` if it isn't the issuer's, or throws.
 */
export function createKnownKeys(clock: Pick<Clock, "monotonic">, onUnknown: () => null): KnownKeys {
  const none = createVerifyingKeys([], onUnknown);
  let loaded: Loaded | null = null;
  let newest: number | null = null;
  /** Since when the feed has named other keys than the known ones, on the monotonic clock; `null` if it doesn't. */
  let differsSince: number | null = null;

  const isOutdated = () => newest !== null && newest !== loaded?.version;

  /** Notes since when the feed has named other keys. Until they are read, that time continues, also if it names yet others. */
  function noteDifference(): void {
    if (!isOutdated()) differsSince = null;
    else if (loaded !== null) differsSince ??= clock.monotonic();
  }

  return {
    store(body) {
      const digest = createHash("sha256").update(body).digest();
      const hash = digest.toString("hex");
      // The same keys stay the same object: the verified tokens stay known.
      if (loaded?.hash === hash) return null;
      const list = parse(body);
      if (list.length === 0) throw new RequestFailure("the issuer publishes no key that can be used");
      const version = digest.readUInt32BE(0);
      // It comes from a node that is behind, or its feed is: the next frame tells.
      if (loaded !== null && loaded.version === newest && version !== newest) return null;
      const kids = list.map(({ kid }) => kid);
      loaded = { verifying: createVerifyingKeys(list, onUnknown), kids, body, version, hash };
      noteDifference();
      return kids;
    },
    observe(version) {
      if (version === newest) return false;
      newest = version;
      noteDifference();
      return true;
    },
    isOutdated,
    outdatedFor: () => (differsSince === null ? 0 : clock.monotonic() - differsSince),
    get verifying() {
      return loaded?.verifying ?? none;
    },
    get kids() {
      return loaded?.kids ?? [];
    },
    get published() {
      return loaded;
    },
    get newest() {
      return newest;
    },
  };
}

function parse(body: Uint8Array): ReturnType<typeof parseJwks> {
  try {
    return parseJwks(Buffer.from(body).toString());
  } catch {
    throw new RequestFailure("the issuer's JWK Set is malformed");
  }
}
