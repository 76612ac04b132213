import type { CommitPosition } from "../revocation.ts";

/**
 * The registry of nodes: of every process that accepts access tokens from memory. A revocation is confirmed when every
 * registered node has acknowledged it. The rules are on the page docs/how-it-works.md.
 */
export interface NodeStore {
  /**
   * Registers a node under an id that was never used before, raises the installation's longest lease and longest access
   * token, and prepares a restored database for its readers. Durable when the promise fulfils, whatever the database's or the
   * role's defaults say.
   */
  register(node: NewNode): Promise<RegisteredNode>;
  /**
   * Records what a node has read, applied and brought into force, and wakes the subscribers on every node. A crash of the
   * database may lose it, which only costs time. Does nothing if the node is not registered.
   */
  acknowledge(id: string, acknowledgement: Acknowledgement): Promise<void>;
  /** Returns the registry, from one consistent read that begins after the call. */
  look(): Promise<Look>;
  /**
   * Returns whether the feed holds the entries of a transaction: after a failover or a restore it may not.
   *
   * @throws StoreUnavailableError
   */
  hasCommit(position: CommitPosition): Promise<boolean>;
  /** Returns whether a node that has read up to `seen` knows the entries of a transaction of the same incarnation. Pure. */
  covers(seen: string, position: CommitPosition): boolean;
  /** Returns the incarnation in which a transaction was committed. Pure. */
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
  /** Records that the registry can be believed in this incarnation. Does nothing if the database has another one by now. */
  settle(incarnation: string): Promise<void>;
  /** Raises the global epoch to `epoch`, if it is lower: after a restore, the nodes may know a higher one. */
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
   * Calls `wake` soon after a node has acknowledged something. It is only a hint.
   *
   * @returns a function that ends the subscription.
   */
  subscribe(wake: () => void): () => void;
}

/** A node that registers. */
export interface NewNode {
  /** Random, and new for every registration. */
  readonly id: string;
  /** For operators; `null` if the node has no name. */
  readonly name: string | null;
  /** For how long the node, or a reader of it, accepts tokens after its last read: `maxStaleness`, in milliseconds. */
  readonly lease: number;
  /** The node's `accessTokenLifetime` in seconds. */
  readonly accessTokenLifetime: number;
}

/** The result of a registration. */
export interface RegisteredNode {
  /** The incarnation of the database in which the node is registered. */
  readonly incarnation: string;
  /** The database's clock during the registration: milliseconds since the epoch. */
  readonly databaseTime: number;
}

/** What a node reports about itself. */
export interface Acknowledgement {
  /** The `seen` of the last batch of a complete read. */
  readonly seen: string;
  /** By how many milliseconds the node's clock is ahead of the database's. */
  readonly clockAhead: number;
}

/** A node in the registry. */
export interface RegistryNode {
  /** The node's id. */
  readonly id: string;
  /** The name that the node gave itself. */
  readonly name: string | null;
  /** For how long the node accepts tokens after its last read, in milliseconds. */
  readonly lease: number;
  /** What the node has acknowledged in this incarnation; `null` if it has not acknowledged anything. */
  readonly seen: string | null;
  /** Whether the node will be removed. */
  readonly isLeaving: boolean;
  /** When the node registered: whole seconds since the epoch on the database's clock. */
  readonly joinedAt: number;
  /** By how many milliseconds the node's clock is ahead of the database's; `null` if it is unknown. */
  readonly clockAhead: number | null;
}

/** The registry at one time. */
export interface Look {
  /** The incarnation of the database that answered. */
  readonly incarnation: string;
  /** Whether a process has recorded that the registry can be believed in this incarnation. */
  readonly isSettled: boolean;
  /** The longest lease that any node has used, in milliseconds. */
  readonly longestLease: number;
  /** Every registered node, leaving ones too. */
  readonly nodes: readonly RegistryNode[];
}
