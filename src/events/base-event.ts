import type { ClientInfo } from "../core/client-info.ts";

/** What every event has. */
export interface BaseEvent {
  /** When it happened: whole seconds since the epoch, on the database's clock if the database was queried. */
  readonly time: number;
}

/** What every event has that a request or an operator caused. */
export interface ClientEvent extends BaseEvent {
  /** Who sent the request. */
  readonly client: ClientInfo;
}
