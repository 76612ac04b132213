import type { AccessClaims } from "./claims.ts";
import type { RevokeReason } from "./session.ts";

/** The claims that decide whether an access token is revoked. */
export type RevocableToken = Pick<
  AccessClaims,
  "sessionId" | "userId" | "userEpoch" | "globalEpoch" | "tokenId" | "issuedAt"
>;

/** What every entry of the revocation feed has. */
export interface RevocationBase {
  /** When the entry was appended: whole seconds since the epoch on the database's clock. */
  readonly at: number;
  /**
   * The latest `exp` of a token that the entry revokes: whole seconds since the epoch. Missing in entries of version 0.1,
   * whose tokens live for a day at most.
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
  /** The session that stays: it revoked the others. Default: none. */
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

/** One entry of the revocation feed: which access tokens are revoked. */
export type Revocation = SessionRevocation | UserRevocation | TokenRevocation | GlobalRevocation;

/** A reader's position in the revocation feed. Opaque: only the store that made it can read it. */
export type FeedCursor = string;

/**
 * The position of a transaction in the revocation feed: what a node must have read to know its entries. Opaque: only the store
 * that made it can read it.
 */
export type CommitPosition = string;

/** Whether a node is in the registry. A node that is `leaving` will be removed, so its reads don't count. */
export type Membership = "member" | "leaving" | "absent";

/** What the read of a feed also tells about the installation. */
export interface FeedState {
  /** One start of the database server. Positions of another incarnation can't be compared. */
  readonly incarnation: string;
  /** Whether the reading node is in the registry. */
  readonly membership: Membership;
  /** The global epoch: "revoke all" raises it. */
  readonly globalEpoch: number;
  /**
   * The version of the key ring and the services. A node that holds another one, or one of another incarnation, reads them
   * again.
   */
  readonly keysVersion: number;
  /** Whether the registry can be believed: a process has known this incarnation for longer than every lease. */
  readonly isSettled: boolean;
  /** The longest `maxStaleness` that any node has used, in milliseconds. */
  readonly longestLease: number;
  /** Whether a commit waits for a synchronous standby, so that a node must write to prove that it reads the primary. */
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
  /** Whether more entries were waiting than fit into one batch. Read again at once then. */
  readonly more: boolean;
  /** What the node has read when it has applied this batch and the batches before it: for `NodeStore.acknowledge`. */
  readonly seen: string;
  /** What the same statement read about the installation. */
  readonly state: FeedState;
  /**
   * The age of each revocation in milliseconds, on the database's clock when it was read; `null` if it is unknown.
   * Missing if the feed was read from the beginning.
   */
  readonly ages?: readonly (number | null)[];
  /**
   * Whether the cursor can't be used any more, because the database was restarted, restored or replaced. The batch is empty
   * then: register again and read from the beginning. Default: false.
   */
  readonly isCursorLost?: boolean;
}

/**
 * How a revocation was confirmed. `acks`: every node has acknowledged it. `expiry`: every node has acknowledged it, or the time
 * for which it may answer from memory is over. In both cases no node accepts the tokens any more. `pending`: the revocation is
 * durable, and in force on every node at the latest when the longest `maxStaleness` is over, but the caller has not waited for that.
 */
export type Confirmation = "acks" | "expiry" | "pending";
