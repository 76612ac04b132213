import { toKnownName } from "./algorithms.ts";
import { allows, type SigningKey, type VerifyingKey } from "./signing-key.ts";

/** The keys that verify tokens. */
export interface VerifyingKeys {
  /** The key of most access tokens. */
  readonly access: VerifyingKey;
  /** The key of most refresh tokens. */
  readonly refresh: VerifyingKey;
  /**
   * Returns the key that a header names, or `null`: the key with its `kid` or, without `kid`, the only key with its `alg` that
   * may sign access tokens. `alg` must be the key's own, so that a header can't choose how a key is used (RFC 8725 §3.1).
   */
  find(header: { readonly alg?: unknown; readonly kid?: unknown }): VerifyingKey | null;
}

/** The keys that a node accepts at one moment. It never changes: other keys are another set. */
export interface KeySet extends VerifyingKeys {
  /** The key that signs access tokens. */
  readonly access: SigningKey;
  /** The key that signs refresh tokens. */
  readonly refresh: SigningKey;
}

/** The options of `createKeySet`. */
export interface KeySetOptions {
  /** Signs access tokens. */
  readonly access: SigningKey;
  /** Signs refresh tokens. Default: `access`, which must then be a key for both. */
  readonly refresh?: SigningKey;
  /** Only verify: earlier keys, or the next one. Default: none. */
  readonly others?: readonly VerifyingKey[];
}

/**
 * Creates a set of keys.
 *
 * @throws TypeError if two keys have the same `kid`, or a key isn't for the tokens that it would sign.
 */
export function createKeySet({ access, refresh = access, others = [] }: KeySetOptions): KeySet {
  if (!allows(access.use, "access")) throw new TypeError("the key for access tokens has another use");
  if (!allows(refresh.use, "refresh")) throw new TypeError("the key for refresh tokens has another use");
  const keys = [...new Set<VerifyingKey>([access, refresh, ...others])];
  const byKid = new Map<unknown, VerifyingKey>(keys.map((key) => [key.kid, key]));
  if (byKid.size !== keys.length) throw new TypeError("two signing keys have the same kid");
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
