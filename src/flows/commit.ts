import type { CommitPosition, Confirmation, Revocation } from "../core/revocation.ts";
import type { AuditOf } from "../core/store/audit.ts";
import type { RevocationOptions, RevokedSessions } from "../core/store/sessions.ts";
import type { EventListener, EventsOf, SessionsRevokedEvent } from "../events/events.ts";
import type { Recorder } from "../events/recorder.ts";
import type { Feed } from "../revocation/feed.ts";

/** What a change needs: the recorder of the audit log, the listeners, this node's revocation index, and the confirmations. */
export interface CommitDeps {
  readonly record: Recorder;
  readonly emit: EventListener;
  readonly feed: Pick<Feed, "apply">;
  /** Waits until a committed revocation is in force on every node, but not longer than a caller can wait. */
  readonly confirm: (position: CommitPosition) => Promise<Confirmation>;
}

/** An option of everything that revokes. */
export interface ConfirmOptions {
  /**
   * Whether to wait until no node accepts the revoked tokens any more. The change is durable in any case. Default: the
   * setting `confirmRevocations`; false for a user's own logout.
   */
  readonly confirmed?: boolean | undefined;
}

/** How a revocation was confirmed. */
export interface Confirmed {
  /**
   * `acks` or `expiry`: no node accepts the revoked tokens any more. `pending`: some may, for `maxStaleness` at most. Missing
   * if no confirmation was asked for.
   */
  readonly confirmed?: Confirmation;
}

/** Sessions that were revoked, and how that was confirmed. */
export interface RevokedAndConfirmed extends RevokedSessions, Confirmed {}

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

/**
 * Makes a change that revokes, publishes it as `commit` does and, if asked, waits until it is in force on every node.
 *
 * @returns what `write` returned, with `confirmed` if the confirmation was asked for.
 * @throws AuthError `unavailable` if the database has lost the revocation meanwhile.
 */
export async function commitRevocation<T extends { readonly position?: CommitPosition }, R extends T | null>(
  deps: CommitDeps,
  isConfirmed: boolean,
  eventsOf: EventsOf<T>,
  write: (options: RevocationOptions<T>) => Promise<R>,
): Promise<R & Confirmed> {
  const change = await commit<T, R>(deps, eventsOf, (audit) => write({ audit, confirm: isConfirmed }));
  if (change === null || !isConfirmed) return change as R & Confirmed;
  // Without an entry in the feed, an earlier change may have revoked the same a moment ago: this call can't wait for that one.
  const confirmed = change.position === undefined ? "pending" : await deps.confirm(change.position);
  return { ...change, confirmed };
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
