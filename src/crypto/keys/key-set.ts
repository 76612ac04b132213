import { toKnownName } from "./algorithms.ts";
import { allows, type SigningKey, type VerifyingKey } from "./signing-key.ts";

/** The keys that verify tokens. */
export interface VerifyingKeys {
  /** The key of most access tokens; `null` if no key is known. */
  readonly access: VerifyingKey | null;
  /** The key of most refresh tokens; `null` if none is accepted. */
  readonly refresh: VerifyingKey | null;
  /**
   * Returns the key that a header names, or `null`: the key with its `kid` or, without `kid`, the only key with its `alg` that
   * may sign access tokens. `alg` must be the key's own, so that a header can't choose how a key is used (RFC 8725 §3.1).
   *
   * @throws AuthError `unavailable` if it can't be known whether there is such a key.
   */
  find(header: { readonly alg?: unknown; readonly kid?: unknown }): VerifyingKey | null;
}

/** The keys that a node accepts at one point in time. A key set never changes. Different keys are a different set. */
export interface KeySet extends VerifyingKeys {
  /** The key that signs access tokens. */
  readonly access: SigningKey;
  /** The key that signs refresh tokens. */
  readonly refresh: SigningKey;
}

/** The options of `createKeySet`. */
export interface KeySetOptions {
  /** The key that signs access tokens. */
  readonly access: SigningKey;
  /** The key that signs refresh tokens. Default: `access`, which must then be a key for both kinds of token. */
  readonly refresh?: SigningKey;
  /** The keys that only verify: earlier keys, and the next one. Default: none. */
  readonly others?: readonly VerifyingKey[];
}

/**
 * Creates a set of keys.
 *
 * @throws TypeError if two keys have the same `kid`, or if a key may not sign the tokens that it would sign.
 */
export function createKeySet({ access, refresh = access, others = [] }: KeySetOptions): KeySet {
  if (!allows(access.use, "access")) throw new TypeError("the key for access tokens has another use");
  if (!allows(refresh.use, "refresh")) throw new TypeError("the key for refresh tokens has another use");
  const keys = [...new Set<VerifyingKey>([access, refresh, ...others])];
  const byKid = toMap(keys);
  const nameless = keys.filter((key) => allows(key.use, "access"));
  return Object.freeze({
    access,
    refresh,
    find({ alg, kid }: { readonly alg?: unknown; readonly kid?: unknown }): VerifyingKey | null {
      const algorithm = toKnownName(alg);
      if (kid === undefined) {
        const [only, ...more] = nameless.filter((key) => key.algorithm === algorithm);
        return only !== undefined && more.length === 0 ? only : null;
      }
      const key = byKid.get(kid);
      return key !== undefined && key.algorithm === algorithm ? key : null;
    },
  });
}

/**
 * Creates a set of public keys that verify access tokens. A header must name its key: the issuer always does.
 *
 * @param onUnknown called for a `kid` that the set doesn't have. It returns `null`, or throws.
 * @throws TypeError if two keys have the same `kid`.
 */
export function createVerifyingKeys(keys: readonly VerifyingKey[], onUnknown: () => null): VerifyingKeys {
  const byKid = toMap(keys);
  return Object.freeze({
    access: keys[0] ?? null,
    refresh: null,
    find({ alg, kid }: { readonly alg?: unknown; readonly kid?: unknown }): VerifyingKey | null {
      if (typeof kid !== "string" || kid === "") return null;
      const key = byKid.get(kid);
      if (key === undefined) return onUnknown();
      return key.algorithm === toKnownName(alg) ? key : null;
    },
  });
}

function toMap(keys: readonly VerifyingKey[]): ReadonlyMap<unknown, VerifyingKey> {
  const byKid = new Map<unknown, VerifyingKey>(keys.map((key) => [key.kid, key]));
  if (byKid.size !== keys.length) throw new TypeError("two signing keys have the same kid");
  return byKid;
}
