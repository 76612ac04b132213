import type { AccessClaims } from "./claims.ts";
import type { RevokeReason } from "./session.ts";

/** The claims that decide whether an access token is revoked. */
export type RevocableToken = Pick<
  AccessClaims,
  "sessionId" | "userId" | "userEpoch" | "globalEpoch" | "tokenId" | "issuedAt"
>;

/** The members that every entry of the revocation feed has. */
export interface RevocationBase {
  /** When the entry was appended, in whole seconds since the epoch on the database's clock. */
  readonly at: number;
  /**
   * The latest `exp` of the tokens that the entry revokes, in whole seconds since the epoch. Missing in entries of version
   * 0.1, whose tokens are valid for at most a day.
   */
  readonly until?: number;
  /** Why the tokens were revoked. Missing in entries of version 0.1. */
  readonly reason?: RevokeReason;
  /** Whether a caller waits until every node has applied the entry. Default: false. */
  readonly confirm?: boolean;
}

/** Revokes every token of one session. */
export interface SessionRevocation extends RevocationBase {
  readonly kind: "session";
  /** The tokens' `sid`. */
  readonly sessionId: string;
}

/** Revokes every token of one user with a `ue` below `epoch`, except those of one session. */
export interface UserRevocation extends RevocationBase {
  readonly kind: "user";
  /** The tokens' user. */
  readonly userId: string;
  /** The user's new epoch. */
  readonly epoch: number;
  /** The session that is not revoked, because it revoked the others. Default: none. */
  readonly except?: string;
}

/** Revokes one token. */
export interface TokenRevocation extends RevocationBase {
  readonly kind: "token";
  /** The token's `jti`. */
  readonly tokenId: string;
}

/** Revokes every token with a `ge` below `epoch`, and every token without `ge` whose `iat` is not later than `at`. */
export interface GlobalRevocation extends RevocationBase {
  readonly kind: "all";
  /** The new global epoch. Missing in entries of version 0.1: every token whose `iat` is not later than `at` is revoked. */
  readonly epoch?: number;
}

/** One entry of the revocation feed. It says which access tokens are revoked. */
export type Revocation = SessionRevocation | UserRevocation | TokenRevocation | GlobalRevocation;

/** A reader's position in the revocation feed. It is opaque: only the store that created it can read it. */
export type FeedCursor = string;

/**
 * The position of a transaction in the revocation feed: how far a node must have read to know the transaction's entries. It
 * is opaque: only the store that created it can read it.
 */
export type CommitPosition = string;

/** Whether a node is in the registry. A node that is `leaving` will be removed, so its reads don't count. */
export type Membership = "member" | "leaving" | "absent";

/** What a read of the feed says about the installation. */
export interface FeedState {
  /**
   * Identifies one start of the database server or, with SQLite, one database file. Positions of different incarnations
   * can't be compared.
   */
  readonly incarnation: string;
  /** Whether the reading node is in the registry. */
  readonly membership: Membership;
  /** The global epoch, which "revoke all" raises. */
  readonly globalEpoch: number;
  /**
   * The version of the key ring and the services. If a node has a different version, or one of a different incarnation, it
   * reads the keys and services again.
   */
  readonly keysVersion: number;
  /**
   * Whether the registry is known to be complete, because a process has seen this incarnation for longer than every lease.
   */
  readonly isSettled: boolean;
  /** The longest `maxStaleness` that any node has used, in milliseconds. */
  readonly longestLease: number;
  /** Whether commits wait for a synchronous standby. If so, a node must write to prove that it reads the primary. */
  readonly hasSynchronousStandby: boolean;
}

/** How far a feed has been read, so that another node can compare it with its own positions. */
export interface FeedPlace {
  /** Names the database in which the positions were given. Positions of two histories can't be compared. */
  readonly history: string;
  /** Every entry at a lower position has been read. Some entries at this position and above may have been, too. */
  readonly horizon: bigint;
}

/** A batch of the revocation feed. */
export interface FeedBatch {
  /** The entries, in the order of the feed. */
  readonly revocations: readonly Revocation[];
  /** The position of each revocation in `place.history`. Two transactions never have the same one. */
  readonly positions: readonly bigint[];
  /** How far the node has read when it has applied this batch and the batches before it. Holds only if `more` is false. */
  readonly place: FeedPlace;
  /** Where the next read continues. */
  readonly cursor: FeedCursor;
  /** Whether more entries were waiting than fit into one batch. If so, read again immediately. */
  readonly more: boolean;
  /**
   * What the node has read once it has applied this batch and the batches before it. Pass it to `NodeStore.acknowledge`.
   */
  readonly seen: string;
  /** The state of the installation, read by the same statement. */
  readonly state: FeedState;
  /**
   * The age of each revocation in milliseconds when it was read, on the database's clock. `null` if it is unknown. Missing
   * if the feed was read from the beginning.
   */
  readonly ages?: readonly (number | null)[];
  /**
   * Whether the cursor is no longer valid, because the database was restarted, restored or replaced. If so, the batch is
   * empty: register again and read from the beginning. Default: false.
   */
  readonly isCursorLost?: boolean;
}

/**
 * How a revocation was confirmed. `acks`: every node has acknowledged it. `expiry`: every node has acknowledged it, or its
 * time to answer from memory has passed. In both cases, no node accepts the tokens. `pending`: the revocation is durable,
 * but the caller didn't wait until every node had applied it. It takes effect on every node within the longest
 * `maxStaleness`.
 */
export type Confirmation = "acks" | "expiry" | "pending";
