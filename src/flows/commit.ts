import type { Revocation } from "../core/revocation.ts";
import type { AuditOf } from "../core/store/audit.ts";
import type { RevokedSessions } from "../core/store/sessions.ts";
import type { EventListener, EventsOf, SessionsRevokedEvent } from "../events/events.ts";
import type { Recorder } from "../events/recorder.ts";
import type { Feed } from "../revocation/feed.ts";

/** What `commit` needs: the recorder of the audit log, the listeners, and this node's revocation index. */
export interface CommitDeps {
  readonly record: Recorder;
  readonly emit: EventListener;
  readonly feed: Pick<Feed, "apply">;
}

/**
 * Makes a change and publishes it. `write` calls a store method and gives it `audit`, so that the store records the
 * change's events in the change's transaction. After the commit, the change's revocations are applied on this node and
 * the same events are emitted.
 *
 * @param eventsOf must be pure. It runs in the transaction, again if the store repeats the transaction, and after it.
 * @param write returns the change, or `null` if nothing changed. If it returns `null` or throws, nothing is published.
 * @returns what `write` returned.
 */
export async function commit<T extends object, R extends T | null>(
  deps: CommitDeps,
  eventsOf: EventsOf<T>,
  write: (audit: AuditOf<T>) => Promise<R>,
): Promise<R> {
  // Only the result says what was committed: a transaction that the store had to repeat may have changed nothing at
  // last.
  const change = await write((attempted) => deps.record(eventsOf(attempted)));
  if (change === null) return change;
  deps.feed.apply(toRevocations(change));
  for (const event of eventsOf(change)) deps.emit(event);
  return change;
}

function toRevocations(change: { readonly revocations?: readonly Revocation[] }): readonly Revocation[] {
  return change.revocations ?? [];
}

/** Returns the event that says which sessions were revoked; none if nothing was revoked. */
export function sessionsRevoked(
  subject: Pick<SessionsRevokedEvent, "userId" | "sessionId" | "reason" | "client">,
): EventsOf<RevokedSessions> {
  return ({ sessions, revocations: [first] }) =>
    first === undefined ? [] : [{ type: "sessions_revoked", time: first.at, sessions, ...subject }];
}
