import type { CommitPosition } from "../revocation.ts";

/**
 * The registry of nodes. A node is a process that accepts access tokens from memory. A revocation is confirmed when every
 * registered node has acknowledged it. docs/revocation.md explains the rules.
 */
export interface NodeStore {
  /**
   * Registers a node under an id that was never used before. If necessary, raises the longest lease and the longest access
   * token lifetime that are stored for the installation, and prepares a restored database for its readers. The registration
   * is durable when the promise fulfils, even if the database or the role has weaker defaults.
   */
  register(node: NewNode): Promise<RegisteredNode>;
  /**
   * Records what a node has read, applied and brought into force. Then wakes the subscribers on every node. If the database
   * crashes, the acknowledgement may be lost, which only delays confirmations. Does nothing if the node is not registered.
   */
  acknowledge(id: string, acknowledgement: Acknowledgement): Promise<void>;
  /** Reads the registry in one consistent read that begins after the call. */
  readRegistry(): Promise<RegistrySnapshot>;
  /**
   * Returns whether the feed contains the entries of a transaction. After a failover or a restore, they may be missing.
   *
   * @throws StoreUnavailableError if the store can't answer.
   */
  hasCommit(position: CommitPosition): Promise<boolean>;
  /** Returns whether a node that has read up to `seen` knows the entries of a transaction in the same incarnation. Pure. */
  covers(seen: string, position: CommitPosition): boolean;
  /** Returns the incarnation of the database in which a transaction was committed. Pure. */
  toIncarnation(position: CommitPosition): string;
  /**
   * Marks a silent node as leaving: from now on its reads don't count, and its lease can't be raised. Durable when the promise
   * fulfils.
   *
   * @returns the node's lease in milliseconds; `null` if it is not registered.
   */
  markLeaving(id: string): Promise<number | null>;
  /** Removes a registration of the calling node, which accepts nothing any more, or under which no read has counted. */
  remove(id: string): Promise<void>;
  /** Removes another node that has been leaving for longer than its lease. Does nothing if a failover has lost the mark. */
  removeLeaving(id: string): Promise<void>;
  /**
   * Records that the registry is complete in this incarnation. Does nothing if the database now has a different
   * incarnation.
   */
  settle(incarnation: string): Promise<void>;
  /**
   * Raises the global epoch to `epoch` if it is lower. After a restore, the nodes may know a higher epoch than the
   * database.
   */
  raiseGlobalEpoch(epoch: number): Promise<void>;
  /**
   * Raises the lease of a node, and the installation's longest lease, before the node sends anything to a reader with a longer
   * one. Durable when the promise fulfils.
   *
   * @param lease milliseconds.
   * @returns false if the node is leaving or not registered: then it must register again with the lease.
   */
  raiseLease(id: string, lease: number): Promise<boolean>;
  /**
   * Subscribes to acknowledgements. The store calls `wake` soon after a node may have acknowledged something. A call may be
   * missing or unnecessary, so the registry must also be read regularly.
   *
   * @returns a function that ends the subscription.
   */
  subscribe(wake: () => void): () => void;
}

/** A node that registers. */
export interface NewNode {
  /** The node's id. It is random, and different for every registration. */
  readonly id: string;
  /** The node's name for operators, or `null` if it has none. */
  readonly name: string | null;
  /** For how long the node, or a reader of it, accepts tokens after its last read: `maxStaleness`, in milliseconds. */
  readonly lease: number;
  /** The node's `accessTokenLifetime`, in seconds. */
  readonly accessTokenLifetime: number;
}

/** The result of a registration. */
export interface RegisteredNode {
  /** The incarnation of the database in which the node is registered. */
  readonly incarnation: string;
  /** The time of the database's clock during the registration, in milliseconds since the epoch. */
  readonly databaseTime: number;
}

/** What a node reports about itself. */
export interface Acknowledgement {
  /** The value `seen` of the last batch of a complete read. */
  readonly seen: string;
  /** The number of milliseconds by which the node's clock is ahead of the database's clock. */
  readonly clockAhead: number;
}

/** A node in the registry. */
export interface RegistryNode {
  /** The node's id. */
  readonly id: string;
  /** The name that the node gave itself. */
  readonly name: string | null;
  /** How long the node accepts tokens after the start of its last complete read, in milliseconds. */
  readonly lease: number;
  /** The position that the node has acknowledged in this incarnation, or `null` if it hasn't acknowledged any. */
  readonly seen: string | null;
  /** Whether the node will be removed. */
  readonly isLeaving: boolean;
  /** When the node registered, in whole seconds since the epoch on the database's clock. */
  readonly joinedAt: number;
  /** The number of milliseconds by which the node's clock is ahead of the database's clock, or `null` if it is unknown. */
  readonly clockAhead: number | null;
}

/** The registry at one point in time. */
export interface RegistrySnapshot {
  /** The incarnation of the database that returned the registry. */
  readonly incarnation: string;
  /** Whether a process has recorded that the registry is complete in this incarnation. */
  readonly isSettled: boolean;
  /** The longest lease that any node has used, in milliseconds. */
  readonly longestLease: number;
  /** Every registered node, including those that are leaving. */
  readonly nodes: readonly RegistryNode[];
}
