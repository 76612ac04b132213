import type { EventListener, RequestOrigin } from "../core/events.ts";
import type { RevokeReason } from "../core/session.ts";
import type { Ended } from "../core/store.ts";
import type { Feed } from "../revocation/feed.ts";
import type { Auditor, Tell } from "./auditor.ts";

/** Where a change is announced: this node's index, whoever listens, and the database. */
export interface Announcer {
  readonly feed: Pick<Feed, "apply">;
  readonly emit: EventListener;
  readonly audit: Auditor;
}

/** Whose sessions ended, why, and who asked. */
export interface Ending {
  readonly userId?: string;
  readonly sessionId?: string;
  readonly reason: RevokeReason;
  readonly origin: RequestOrigin;
}

/** Tells of what a transaction has ended; nothing where that was nothing. */
export function tellEnding(ending: Ending): Tell<Ended> {
  return ({ sessions, revocations: [first] }) =>
    first === undefined ? [] : [{ type: "sessions_ended", time: first.at, sessions, ...ending }];
}

/** Applies what a transaction has ended on this node at once, and tells the listeners. */
export function announce<T extends Pick<Ended, "revocations">>(deps: Announcer, change: T, tell: Tell<T>): T {
  deps.feed.apply(change.revocations);
  for (const event of tell(change)) deps.emit(event);
  return change;
}
