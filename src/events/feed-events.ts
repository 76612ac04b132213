import type { Confirmation } from "../core/revocation.ts";
import type { BaseEvent } from "./base-event.ts";

/** This node has not read the revocation feed for longer than `maxStaleness`, so `onStale` applies. */
export interface FeedStaleEvent extends BaseEvent {
  readonly type: "feed_stale";
  /** The number of seconds since this node last knew all revocations. */
  readonly staleSeconds: number;
  /** Why the node can't read the feed. */
  readonly reason: string;
}

/** This node reads the revocation feed again. */
export interface FeedRecoveredEvent extends BaseEvent {
  readonly type: "feed_recovered";
}

/**
 * This node has read the whole feed again, because the database was restarted or restored, or because the wall clock was
 * set back.
 */
export interface FeedReloadedEvent extends BaseEvent {
  readonly type: "feed_reloaded";
  /** The number of revocations that the node read. */
  readonly revocations: number;
}

/** A caller has waited for a revocation to take effect on every node. `by` says with which result. */
export interface RevocationConfirmedEvent extends BaseEvent {
  readonly type: "revocation_confirmed";
  /**
   * How the revocation was confirmed. `acks`: every node has acknowledged it. `expiry`: the leases of the silent nodes have
   * ended. `pending`: the caller got an answer before the revocation was confirmed.
   */
  readonly by: Confirmation;
  /** The number of milliseconds from the commit to the answer. */
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

/** All events about the revocation feed and about confirmations. */
export type FeedEvent =
  | FeedStaleEvent
  | FeedRecoveredEvent
  | FeedReloadedEvent
  | RevocationConfirmedEvent
  | ListenLostEvent
  | ListenRecoveredEvent;
