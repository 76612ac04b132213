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
  return Object.freeze({ access, refresh, find: createFinder(keys, () => null) });
}

/**
 * Creates a set of keys that verify access tokens. A header without `kid` names none of them.
 *
 * @param onUnknown called for a header that names no key of the set. It returns `null`, or throws.
 * @throws TypeError if two keys have the same `kid`.
 */
export function createVerifyingKeys(keys: readonly VerifyingKey[], onUnknown: () => null): VerifyingKeys {
  const find = createFinder(keys, onUnknown);
  return Object.freeze({
    access: keys[0] ?? null,
    refresh: null,
    find: (header: Parameters<VerifyingKeys["find"]>[0]) =>
      typeof header.kid === "string" && header.kid !== "" ? find(header) : null,
  });
}

function createFinder(keys: readonly VerifyingKey[], onUnknown: () => null): VerifyingKeys["find"] {
  const byKid = new Map<unknown, VerifyingKey>(keys.map((key) => [key.kid, key]));
  if (byKid.size !== keys.length) throw new TypeError("two signing keys have the same kid");
  const nameless = keys.filter((key) => allows(key.use, "access"));
  return ({ alg, kid }) => {
    const algorithm = toKnownName(alg);
    if (kid === undefined) {
      const [only, ...more] = nameless.filter((key) => key.algorithm === algorithm);
      return only !== undefined && more.length === 0 ? only : onUnknown();
    }
    const key = byKid.get(kid);
    if (key === undefined) return onUnknown();
    return key.algorithm === algorithm ? key : null;
  };
}
