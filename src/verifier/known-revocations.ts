import type { RevocableToken } from "../core/revocation.ts";
import { clockMargin } from "../core/revocation-horizon.ts";
import { type FingerprintKind, toFingerprintBytes } from "../revocation/readers/frame.ts";
import type { TokenGroup } from "../revocation/signals.ts";
import { createRevocationTable, type RecordFingerprint } from "./revocation-table.ts";

/** The revocations that a verifier has read, in memory. */
export interface KnownRevocations {
  /**
   * Applies a frame.
   *
   * @param records the frame's records, 16 bytes each.
   * @param isFull whether they replace everything that is known.
   * @returns whether they said anything new. A full frame always does.
   */
  apply(records: Uint8Array, isFull: boolean): boolean;
  /**
   * Returns whether a token is revoked. No I/O. Frozen claims, such as those in the cache of verified tokens, are remembered while
   * they exist: they are looked up again only after something was applied, and never hashed again.
   */
  isRevoked(token: RevocableToken): boolean;
  /** Returns the groups of a token for its signal, as `toAffected` names them. */
  toGroups(token: RevocableToken): readonly [TokenGroup, TokenGroup, TokenGroup];
  /** Drops records that no token needs any more. Call it about once a second. */
  sweep(): void;
  /** Returns everything that is known, as the records of a full frame. */
  toRecords(): Uint8Array;
  /** How many records there are. */
  readonly size: number;
}

/** The options of `createKnownRevocations`. */
export interface KnownRevocationsOptions {
  /** Returns the wall clock: whole seconds since the epoch. */
  readonly now: () => number;
  /** Seconds for which a token is accepted after its `exp`. */
  readonly leeway: number;
}

type Fingerprints = Readonly<Record<"session" | "token" | "user", RecordFingerprint>>;

/** The result of the last lookup of a frozen token. */
interface CachedLookup {
  readonly fingerprints: Fingerprints;
  /** That of the session as an exception from its user's revocation; `null` until it is needed. */
  excepted: RecordFingerprint | null;
  /** The version at which the token was not revoked. */
  clearedAt: number;
}

/** Places of the table that one sweep covers: a fraction of a millisecond, and a million records in some minutes. */
const placesPerSweep = 12_000;

/** Creates the revocations of a verifier that has read nothing. */
export function createKnownRevocations({ now, leeway }: KnownRevocationsOptions): KnownRevocations {
  let table = createRevocationTable();
  /** The global epoch: tokens with a lower one are revoked. */
  let globalEpoch = 0;
  let everything: RecordFingerprint | null = null;
  let version = 0;
  const lookups = new WeakMap<RevocableToken, CachedLookup>();

  function lookUpCached(token: RevocableToken): CachedLookup {
    const known = lookups.get(token);
    if (known !== undefined) return known;
    const cached = { fingerprints: toFingerprints(token), excepted: null, clearedAt: -1 };
    // Another object is seen once: caching it would only be work for the garbage collector.
    if (Object.isFrozen(token)) lookups.set(token, cached);
    return cached;
  }

  /** The rule on the page docs/verifier/README.md. */
  function lookUp(token: RevocableToken, cached: CachedLookup): boolean {
    if (globalEpoch > (token.globalEpoch ?? 0)) return true;
    const { session, token: own, user } = cached.fingerprints;
    if (table.get(session) > 0 || table.get(own) > 0) return true;
    const epoch = table.get(user);
    if (epoch <= token.userEpoch) return false;
    cached.excepted ??= toFingerprint("x", token.sessionId);
    return table.get(cached.excepted) < epoch;
  }

  return {
    apply(records, isFull) {
      const target = isFull ? createRevocationTable() : table;
      // A frame may repeat what is known: then what was looked up stays true.
      if (!target.add(records) && !isFull) return false;
      table = target;
      everything ??= toFingerprint("a", "");
      globalEpoch = table.get(everything);
      version += 1;
      return true;
    },

    isRevoked(token) {
      if (table.size === 0) return false;
      const cached = lookUpCached(token);
      if (cached.clearedAt === version) return false;
      const isRevoked = lookUp(token, cached);
      if (!isRevoked) cached.clearedAt = version;
      return isRevoked;
    },

    toGroups(token) {
      const { token: own, session, user } = lookUpCached(token).fingerprints;
      return [toGroup(own), toGroup(session), toGroup(user)];
    },

    sweep: () => table.sweep(now() - leeway - clockMargin, placesPerSweep),

    toRecords: () => table.toRecords(),

    get size() {
      return table.size;
    },
  };
}

/** Returns the groups whose tokens the records of a frame may revoke; `null`: all. */
export function toAffected(records: Uint8Array): readonly TokenGroup[] | null {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  const everything = toFingerprint("a", "");
  const groups: TokenGroup[] = [];
  for (let at = 0; at < view.byteLength; at += 16) {
    const found = { high: view.getInt32(at), low: view.getInt32(at + 4) };
    if (found.high === everything.high && found.low === everything.low) return null;
    groups.push(toGroup(found));
  }
  return groups;
}

/** Returns 52 of the bits: as many as a number holds. */
function toGroup({ high, low }: RecordFingerprint): TokenGroup {
  return (high >>> 0) * 2 ** 20 + (low >>> 12);
}

function toFingerprints({ sessionId, tokenId, userId }: RevocableToken): Fingerprints {
  return {
    session: toFingerprint("s", sessionId),
    token: toFingerprint("t", tokenId),
    user: toFingerprint("u", userId),
  };
}

function toFingerprint(kind: FingerprintKind, id: string): RecordFingerprint {
  const bytes = toFingerprintBytes(kind, id);
  return { high: bytes.readInt32BE(0), low: bytes.readInt32BE(4) };
}
