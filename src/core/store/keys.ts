import type { AuditOf } from "./audit.ts";
import type { Guard } from "./guard.ts";

/**
 * The key ring: which keys sign and verify, and from when. Private keys and secrets are encrypted before the store gets
 * them. "Sealed" means encrypted in this way.
 */
export interface KeyStore {
  /** Returns all keys, including retired ones, from one consistent read. */
  read(): Promise<KeyRecords>;
  /**
   * Applies a change and raises the version, in one transaction, if the current version is still `version`. Then wakes the
   * subscribers of the feed, so that every node reads the keys again.
   *
   * @param guard decides in the transaction whether the change is allowed.
   * @returns whether the change was applied. If it is false, another process has changed the keys in the meantime, so read
   * them again.
   */
  change(version: number, change: KeyChange, audit?: AuditOf<KeyChange>, guard?: Guard): Promise<boolean>;
}

/** The keys, and the state of the installation as of the same statement. Times are whole seconds since the epoch. */
export interface KeyRecords {
  /** The version, which every change of a key or a service raises. */
  readonly version: number;
  /** The time of the read, on the database's clock. */
  readonly now: number;
  /**
   * The time since which refresh tokens are signed by their own key. 0 in a database that version 0.1 has never used.
   * `null` while nodes of version 0.1, which don't know this key, may still be running.
   */
  readonly ownRefreshSince: number | null;
  /** The longest `accessTokenLifetime` that any node has used, in seconds; 0 if no node has registered yet. */
  readonly longestAccess: number;
  /** Every key, ordered by `signsFrom` and then by `kid`. */
  readonly keys: readonly KeyRecord[];
}

/**
 * What a key is for. `access`: a key that signs access tokens. `secret`: the installation's secret, from which the keys of
 * refresh, CSRF and device tokens are derived.
 */
export type KeyRecordUse = "access" | "secret";

/** A key of the ring, as it is stored. Times are whole seconds since the epoch, on the database's clock. */
export interface KeyRecord {
  /**
   * The key's name. For an access key, it is the `kid` of the tokens. For a secret, it is the name of the refresh key that
   * is derived from it: `r1`, `r2`, …
   */
  readonly kid: string;
  /** What the key is for. */
  readonly use: KeyRecordUse;
  /** The JWS algorithm. For a secret, it is the algorithm of its refresh key. */
  readonly algorithm: string;
  /**
   * The public key as a JWK in JSON, for operators. `null` for a symmetric key. Never verify tokens with it, because it is
   * not protected against changes in the database.
   */
  readonly publicJwk: string | null;
  /** The encrypted private key or secret. `null` if the key is in a setting of the nodes, or if it was deleted. */
  readonly sealed: Uint8Array | null;
  /** The id of the key encryption key that encrypted it. `null` if nothing is encrypted. */
  readonly kekId: string | null;
  /** The time at which the record was created. */
  readonly createdAt: number;
  /** The time from which the key signs. Before that, it is only published. */
  readonly signsFrom: number;
  /** The time until which the key verifies. `null` means until another key replaces it. */
  readonly retireAt: number | null;
  /** The time at which the key was retired and its encrypted part deleted. `null` if it wasn't retired. */
  readonly retiredAt: number | null;
}

/** A change of the key ring. Every part is optional. */
export interface KeyChange {
  /** New records. If the store already has a record with the same `kid`, the whole change fails with an error. */
  readonly add?: readonly KeyRecord[];
  /**
   * Changed records. A member that is missing keeps its value. If the store has no record with this `kid`, the whole change
   * fails with an error.
   */
  readonly update?: readonly KeyUpdate[];
  /** The time since which refresh tokens are signed by their own key. It can be set only once: later values are ignored. */
  readonly ownRefreshSince?: number;
}

/**
 * New values for a record. If `retiredAt` is set, `sealed` and `kekId` must be `null`, because a retired key is deleted.
 */
export interface KeyUpdate
  extends Partial<Pick<KeyRecord, "sealed" | "kekId" | "signsFrom" | "retireAt" | "retiredAt">> {
  /** The name of the record to change. */
  readonly kid: string;
}
