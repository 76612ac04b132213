import type { Revocation } from "../core/revocation.ts";
import type { AuditOf } from "../core/store/audit.ts";
import type { RevokedSessions } from "../core/store/sessions.ts";
import type { AuthEvent, EventListener, EventsOf, SessionsRevokedEvent } from "../events/events.ts";
import type { Recorder } from "../events/recorder.ts";
import type { Feed } from "../revocation/feed.ts";

/** What `commit` needs: the recorder of the audit log, the listeners, and this node's revocation index. */
export interface CommitDeps {
  readonly record: Recorder;
  readonly emit: EventListener;
  readonly feed: Pick<Feed, "apply">;
}

/**
 * Makes a change and publishes it. `write` calls a store method and gives it `audit`, so that the store records `eventsOf`
 * the change in the change's transaction. After the commit, its revocations are applied on this node and the same events
 * are emitted. Nothing is published if nothing changed.
 *
 * @returns what `write` returned.
 */
export async function commit<T, R>(
  deps: CommitDeps,
  eventsOf: EventsOf<T>,
  write: (audit: AuditOf<T>) => Promise<R>,
): Promise<R> {
  let events: readonly AuthEvent[] = [];
  let revocations: readonly Revocation[] = [];
  const result = await write((change) => {
    // The store may run a transaction again: the last call is the one that was committed.
    events = eventsOf(change);
    revocations = toRevocations(change);
    return deps.record(events);
  });
  deps.feed.apply(revocations);
  for (const event of events) deps.emit(event);
  return result;
}

function toRevocations(change: unknown): readonly Revocation[] {
  const hasRevocations = typeof change === "object" && change !== null && "revocations" in change;
  return hasRevocations ? (change as { readonly revocations: readonly Revocation[] }).revocations : [];
}

/** Returns the event that says which sessions were revoked; none if nothing was revoked. */
export function sessionsRevoked(
  subject: Pick<SessionsRevokedEvent, "userId" | "sessionId" | "reason" | "client">,
): EventsOf<RevokedSessions> {
  return ({ sessions, revocations: [first] }) =>
    first === undefined ? [] : [{ type: "sessions_revoked", time: first.at, sessions, ...subject }];
}
