import type { RevocableToken, Revocation } from "../core/revocation.ts";
import { clockMargin, toRevocationEnd } from "../core/revocation-horizon.ts";
import type { Clock } from "../core/runtime/clock.ts";
import { createFingerprintTable, type Fingerprint } from "./fingerprint-table.ts";

export type { RevocableToken } from "../core/revocation.ts";

/**
 * The number of slots of each table that one sweep covers. This takes a fraction of a millisecond, and a table with a
 * million entries is covered in two minutes.
 */
const SLOTS_PER_SWEEP = 12_000;

/** What is remembered about a frozen token object that was not revoked. */
interface Known {
  /** The version of the index when the token was last looked up. */
  clearedAt: number;
  /** The fingerprints of the token's ids. `null` until the token is looked up a second time. */
  fingerprints: Fingerprints | null;
}

type Fingerprints = Readonly<Record<"session" | "token" | "user", Fingerprint>>;

/** The live revocations of all nodes, in this process's memory. */
export interface RevocationIndex {
  /** Adds an entry of the feed. Entries can be added in any order and more than once. An expired entry changes nothing. */
  apply(revocation: Revocation): void;
  /**
   * Returns whether an applied revocation revokes `token`. It needs no I/O and takes well under a microsecond. A frozen
   * object, such as the claims in the cache of verified tokens, is remembered as long as it exists. It is looked up again
   * only after another entry was applied, and from the third look-up on without hashing its ids.
   *
   * Ids are stored as 64-bit keyed fingerprints. With a million entries, the probability that a valid token is mistaken for
   * a revoked one is below 2^-42. A revoked token is never mistaken for a valid one.
   */
  isRevoked(token: RevocableToken): boolean;
  /** The highest global epoch that was applied, or 0 before the first "revoke all". */
  readonly globalEpoch: number;
  /** Removes a limited part of the expired entries. Call it about once a second. `apply` also removes some. */
  sweep(): void;
  /** The number of stored sessions, users, excepted sessions and tokens. Expired ones count until they are swept. */
  readonly size: number;
}

/** The options of `createRevocationIndex`. */
export interface RevocationIndexOptions {
  /** The number of seconds for which a token is accepted after its `exp`. */
  readonly leeway: number;
  readonly clock: Clock;
}

/**
 * Creates an empty index. An entry is dropped when the last token that it revokes has expired on this node's clock. The
 * same clock is used to check the `exp` of tokens. So neither a setting nor another clock can make a node forget an entry
 * that it still needs.
 */
export function createRevocationIndex({ leeway, clock: { now } }: RevocationIndexOptions): RevocationIndex {
  const sessions = createFingerprintTable({ now, values: false });
  const tokens = createFingerprintTable({ now, values: false });
  const users = createFingerprintTable({ now, values: true });
  /**
   * For each excepted session, the epoch of the user entry that excepts it. It is looked up only for users whose epoch was
   * raised.
   */
  const excepted = createFingerprintTable({ now, values: true });
  let globalEpoch = 0;
  /** Tokens without `ge` are revoked if their `iat` is not later than this time. */
  let cutOff = Number.NEGATIVE_INFINITY;
  /**
   * All tokens are revoked if their `iat` is not later than this time. It comes from nodes of version 0.1, which have no
   * global epoch.
   */
  let foreignCutOff = Number.NEGATIVE_INFINITY;
  let version = 0;
  const known = new WeakMap<RevocableToken, Known>();

  const isBeforeRevokeAll = ({ globalEpoch: epoch, issuedAt }: RevocableToken): boolean =>
    issuedAt <= foreignCutOff || (epoch === null ? issuedAt <= cutOff : epoch < globalEpoch);

  const isBeforeEpoch = ({ userEpoch, sessionId }: RevocableToken, epoch: number): boolean =>
    userEpoch < epoch && excepted.get(sessionId) < epoch;

  const lookUp = (token: RevocableToken): boolean =>
    isBeforeRevokeAll(token) ||
    sessions.get(token.sessionId) !== 0 ||
    tokens.get(token.tokenId) !== 0 ||
    isBeforeEpoch(token, users.get(token.userId));

  const lookUpAgain = (token: RevocableToken, fingerprints: Fingerprints): boolean =>
    isBeforeRevokeAll(token) ||
    sessions.find(fingerprints.session) !== 0 ||
    tokens.find(fingerprints.token) !== 0 ||
    isBeforeEpoch(token, users.find(fingerprints.user));

  const toFingerprints = ({ sessionId, tokenId, userId }: RevocableToken): Fingerprints => ({
    session: sessions.toFingerprint(sessionId),
    token: tokens.toFingerprint(tokenId),
    user: users.toFingerprint(userId),
  });

  return {
    apply(revocation) {
      version += 1;
      const until = toRevocationEnd(revocation) + leeway + clockMargin;
      switch (revocation.kind) {
        case "session":
          return sessions.set(revocation.sessionId, 1, until);
        case "token":
          return tokens.set(revocation.tokenId, 1, until);
        case "user":
          // The exception first: in between, no request runs, but the order is also that of the frames for verifiers.
          if (revocation.except !== undefined) excepted.set(revocation.except, revocation.epoch, until);
          return users.set(revocation.userId, revocation.epoch, until);
        case "all":
          cutOff = Math.max(cutOff, revocation.at);
          if (revocation.epoch === undefined) foreignCutOff = Math.max(foreignCutOff, revocation.at);
          else globalEpoch = Math.max(globalEpoch, revocation.epoch);
      }
    },

    isRevoked(token) {
      const entry = known.get(token);
      if (entry?.clearedAt === version) return false;
      if (entry === undefined) {
        const isRevoked = lookUp(token);
        // Other objects are seen once: remembering them would only be work for the garbage collector.
        if (!isRevoked && Object.isFrozen(token)) known.set(token, { clearedAt: version, fingerprints: null });
        return isRevoked;
      }
      entry.fingerprints ??= toFingerprints(token);
      const isRevoked = lookUpAgain(token, entry.fingerprints);
      if (!isRevoked) entry.clearedAt = version;
      return isRevoked;
    },

    get globalEpoch() {
      return globalEpoch;
    },

    sweep() {
      sessions.sweep(SLOTS_PER_SWEEP);
      tokens.sweep(SLOTS_PER_SWEEP);
      users.sweep(SLOTS_PER_SWEEP);
      excepted.sweep(SLOTS_PER_SWEEP);
    },

    get size() {
      return sessions.size + tokens.size + users.size + excepted.size;
    },
  };
}
