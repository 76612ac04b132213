import type { Confirmation } from "../core/revocation.ts";
import type { BaseEvent } from "./base-event.ts";

/** This node has not read the revocation feed for longer than `maxStaleness`, and fails closed. */
export interface FeedStaleEvent extends BaseEvent {
  readonly type: "feed_stale";
  /** Seconds since the node last knew every revocation. */
  readonly staleSeconds: number;
  /** Why the node can't read the feed. */
  readonly reason: string;
}

/** This node reads the revocation feed again. */
export interface FeedRecoveredEvent extends BaseEvent {
  readonly type: "feed_recovered";
}

/** This node has read the whole feed again: the database was restarted or restored, or the wall clock was set back. */
export interface FeedReloadedEvent extends BaseEvent {
  readonly type: "feed_reloaded";
  /** How many revocations the node read. */
  readonly revocations: number;
}

/** A revocation that a caller waited for is in force on every node, or was answered before that. */
export interface RevocationConfirmedEvent extends BaseEvent {
  readonly type: "revocation_confirmed";
  /**
   * `acks`: every node has acknowledged it. `expiry`: the lease of a silent node is over. `pending`: it was answered without
   * waiting any longer.
   */
  readonly by: Confirmation;
  /** Milliseconds from the commit to the answer. */
  readonly ms: number;
}

/** The database no longer notifies this node of revocations. The node keeps polling. */
export interface ListenLostEvent extends BaseEvent {
  readonly type: "listen_lost";
  /** Why the connection was lost. */
  readonly reason: string;
}

/** The database notifies this node of revocations again. */
export interface ListenRecoveredEvent extends BaseEvent {
  readonly type: "listen_recovered";
}

/** What this node reports about the revocation feed, and about confirmations. */
export type FeedEvent =
  | FeedStaleEvent
  | FeedRecoveredEvent
  | FeedReloadedEvent
  | RevocationConfirmedEvent
  | ListenLostEvent
  | ListenRecoveredEvent;
