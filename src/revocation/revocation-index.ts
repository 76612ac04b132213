import type { RevocableToken, Revocation } from "../core/revocation.ts";
import { clockMargin, toRevocationEnd } from "../core/revocation-horizon.ts";
import type { Clock } from "../core/runtime/clock.ts";
import { createFingerprintTable, type Fingerprint } from "./fingerprint-table.ts";

export type { RevocableToken } from "../core/revocation.ts";

/** Slots of each table that one sweep covers: a fraction of a millisecond, and a million entries in two minutes. */
const SLOTS_PER_SWEEP = 12_000;

/** What is remembered about a frozen token that was not revoked. */
interface Known {
  /** The index's version when the token was last looked up. */
  clearedAt: number;
  /** The fingerprints of its ids; `null` until it is looked up a second time. */
  fingerprints: Fingerprints | null;
}

type Fingerprints = Readonly<Record<"session" | "token" | "user", Fingerprint>>;

/** The live revocations of all nodes, in this process's memory. */
export interface RevocationIndex {
  /** Adds an entry of the feed: in any order, any number of times. An expired entry changes nothing. */
  apply(revocation: Revocation): void;
  /**
   * Returns whether an applied revocation revokes `token`. No I/O, well under a microsecond. A frozen object, such as the
   * claims in the cache of verified tokens, is remembered while it exists: it is looked up again only after something was
   * applied, and from the third time on without hashing its ids.
   *
   * Ids are held as 64-bit keyed fingerprints: among a million entries, a token that is not revoked is taken for a revoked
   * one with a probability below 2^-42. A revoked token is never taken for one that is not.
   */
  isRevoked(token: RevocableToken): boolean;
  /** The highest global epoch that was applied; 0 before the first "revoke all". */
  readonly globalEpoch: number;
  /** Frees a bounded part of the expired entries. Call it about once a second; `apply` frees others. */
  sweep(): void;
  /** How many sessions, users, excepted sessions and tokens are held. Expired ones count until they are swept. */
  readonly size: number;
}

/** What an index needs. */
export interface RevocationIndexOptions {
  /** Seconds for which a token is accepted after its `exp`. */
  readonly leeway: number;
  readonly clock: Clock;
}

/**
 * Creates an empty index. An entry is dropped when the last token that it revokes has expired by this node's clock, which
 * also judges the token's `exp`. So no setting and no other clock makes a node forget an entry that it needs.
 */
export function createRevocationIndex({ leeway, clock: { now } }: RevocationIndexOptions): RevocationIndex {
  const sessions = createFingerprintTable({ now, values: false });
  const tokens = createFingerprintTable({ now, values: false });
  const users = createFingerprintTable({ now, values: true });
  /** The epoch of the user entry from which a session is excepted. Asked only about users whose epoch was raised. */
  const excepted = createFingerprintTable({ now, values: true });
  let globalEpoch = 0;
  /** Tokens without `ge` are revoked up to this `iat`. */
  let cutOff = Number.NEGATIVE_INFINITY;
  /** Tokens with an `iat` up to this time are revoked. Written by nodes of version 0.1, which have no global epoch. */
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
