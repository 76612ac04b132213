import type { AuditOf } from "./audit.ts";

/**
 * The key ring: which keys sign and verify, and since when. Private keys and secrets are sealed before a store gets them.
 */
export interface KeyStore {
  /** Returns the keys, from one consistent read. Retired keys are included. */
  read(): Promise<KeyRecords>;
  /**
   * Applies a change and raises the version, if the version is still `version`, in one transaction; wakes the subscribers of
   * the feed, so that every node reads the keys again.
   *
   * @returns whether the change was applied; false if another process has changed the keys meanwhile. Read again then.
   */
  change(version: number, change: KeyChange, audit?: AuditOf<KeyChange>): Promise<boolean>;
}

/** The keys, and what the same statement read about the installation. Times are whole seconds since the epoch. */
export interface KeyRecords {
  /** Raised by every change of a key or a service. */
  readonly version: number;
  /** The database's clock. */
  readonly now: number;
  /**
   * Since when refresh tokens are signed by their own key; 0 in a database that version 0.1 has never used; `null` while nodes
   * of that version, which don't know the key, may still serve.
   */
  readonly ownRefreshSince: number | null;
  /** The longest `accessTokenLifetime` that any node has used, in seconds; 0 if no node has registered yet. */
  readonly longestAccess: number;
  /** Every key, ordered by `signsFrom`, then `kid`. */
  readonly keys: readonly KeyRecord[];
}

/**
 * What a record is for. `access`: a key that signs access tokens. `secret`: the installation's secret, from which the keys of
 * refresh, CSRF and device tokens are derived.
 */
export type KeyRecordUse = "access" | "secret";

/** A key of the ring, as it is stored. Times are whole seconds since the epoch on the database's clock. */
export interface KeyRecord {
  /** The key's name: of an access key its `kid`; of a secret that of its refresh key, `r1`, `r2`, … */
  readonly kid: string;
  /** What the key is for. */
  readonly use: KeyRecordUse;
  /** The JWS algorithm; of a secret that of its refresh key. */
  readonly algorithm: string;
  /** The public JWK in JSON, for operators; `null` for a symmetric key. Never verify with it: it isn't sealed. */
  readonly publicJwk: string | null;
  /** The sealed private key or secret; `null` if it is in a setting of the nodes, or was deleted. */
  readonly sealed: Uint8Array | null;
  /** The id of the key encryption key that sealed it; `null` if nothing is sealed. */
  readonly kekId: string | null;
  /** When the record was made. */
  readonly createdAt: number;
  /** From when on the key signs. Before, it is only published. */
  readonly signsFrom: number;
  /** Until when the key verifies; `null`: until another key replaces it. */
  readonly retireAt: number | null;
  /** When the key was retired, and its sealed part deleted; `null` if it wasn't. */
  readonly retiredAt: number | null;
}

/** A change of the key ring. Every part is optional. */
export interface KeyChange {
  /** New records. A `kid` that is stored already makes the whole change fail with an error. */
  readonly add?: readonly KeyRecord[];
  /** Changed records. A member that is missing stays as it is. A `kid` that isn't stored makes the whole change fail. */
  readonly update?: readonly KeyUpdate[];
  /** Since when refresh tokens are signed by their own key. Only set once: a later value is ignored. */
  readonly ownRefreshSince?: number;
}

/** New values of a record. With `retiredAt`, `sealed` and `kekId` must be `null`: a retired key leaves nothing behind. */
export interface KeyUpdate
  extends Partial<Pick<KeyRecord, "sealed" | "kekId" | "signsFrom" | "retireAt" | "retiredAt">> {
  /** Which record. */
  readonly kid: string;
}
