import type { EventListener, RequestOrigin, SessionsEndedEvent } from "../core/events.ts";
import type { RevokeReason } from "../core/session.ts";
import type { Ended } from "../core/store.ts";
import type { Feed } from "../revocation/feed.ts";

/** Where the end of a session is announced: this node's index, and whoever listens. */
export interface Announcer {
  readonly feed: Pick<Feed, "apply">;
  readonly emit: EventListener;
}

/** Whose sessions ended, why, and who asked. */
export interface Ending {
  readonly userId?: string;
  readonly sessionId?: string;
  readonly reason: RevokeReason;
  readonly origin: RequestOrigin;
}

/** The event of what a transaction has ended; none where that was nothing. */
export function toEndedEvents({ sessions, revocations }: Ended, ending: Ending): readonly SessionsEndedEvent[] {
  const [first] = revocations;
  return first === undefined ? [] : [{ type: "sessions_ended", time: first.at, sessions, ...ending }];
}

/** Applies what a transaction has ended on this node at once, and reports it. */
export function announce(deps: Announcer, ended: Ended, ending: Ending): Ended {
  deps.feed.apply(ended.revocations);
  for (const event of toEndedEvents(ended, ending)) deps.emit(event);
  return ended;
}
