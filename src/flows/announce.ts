import type { EventListener } from "../core/events.ts";
import type { RevokeReason } from "../core/session.ts";
import type { Ended } from "../core/store.ts";
import type { Feed } from "../revocation/feed.ts";

/** Where the end of a session is announced: this node's index, and whoever listens. */
export interface Announcer {
  readonly feed: Pick<Feed, "apply">;
  readonly emit: EventListener;
}

/** Applies what a transaction has ended on this node at once, and reports it. */
export function announce(
  deps: Announcer,
  ended: Ended,
  subject: { readonly userId?: string; readonly sessionId?: string; readonly reason: RevokeReason },
): Ended {
  deps.feed.apply(ended.revocations);
  if (ended.revocations.length > 0) deps.emit({ type: "sessions_ended", ...subject });
  return ended;
}
