import type { ClientInfo } from "../core/client-info.ts";

/** The members that every event has. */
export interface BaseEvent {
  /**
   * When the event happened, in whole seconds since the epoch. If the database was queried, it is the database's time,
   * otherwise this node's time.
   */
  readonly time: number;
}

/** The members that every event has if it was caused by a request or an operator. */
export interface ClientEvent extends BaseEvent {
  /** Who sent the request. */
  readonly client: ClientInfo;
}
