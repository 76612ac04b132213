import type { ClientInfo } from "../core/client-info.ts";
import type { CommitPosition, Confirmation, Revocation } from "../core/revocation.ts";
import type { AuditOf } from "../core/store/audit.ts";
import type { Guard } from "../core/store/guard.ts";
import type { RevocationOptions, RevokedSessions } from "../core/store/sessions.ts";
import { trace } from "../core/tracing.ts";
import type { EventListener, EventsOf, SessionsRevokedEvent } from "../events/events.ts";
import type { Recorder } from "../events/recorder.ts";
import type { Feed } from "../revocation/feed.ts";

/**
 * The dependencies of a change: the recorder of the audit log, the listeners, this node's revocation index, and the
 * confirmations.
 */
export interface CommitDeps {
  readonly record: Recorder;
  readonly emit: EventListener;
  readonly feed: Pick<Feed, "apply">;
  /** Waits until a committed revocation is in force on every node, but at most for `confirmTimeout`. */
  readonly confirm: (position: CommitPosition) => Promise<Confirmation>;
}

/** An option of every function that revokes something. */
export interface ConfirmOptions {
  /**
   * Whether to wait until no node accepts the revoked tokens. The change is durable in any case. Default: the setting
   * `confirmRevocations`, but false if users log out of their own session.
   */
  readonly confirmed?: boolean | undefined;
}

/** The options of a revocation. */
export interface RevocationRequest extends ConfirmOptions {
  /** Who sent the request. Default: nothing is known. */
  readonly client?: ClientInfo | undefined;
}

/** The options of a revocation by the staff. */
export interface GuardedRevocation extends RevocationRequest {
  /** Decides in the transaction whether the change is allowed. Default: it is allowed. */
  readonly guard?: Guard | undefined;
}

/** Says how a revocation was confirmed. */
export interface Confirmed {
  /**
   * How the revocation was confirmed. With `acks` or `expiry`, no node accepts the revoked tokens. With `pending`, some
   * nodes may still accept them, for at most `maxStaleness`. Missing if no confirmation was requested.
   */
  readonly confirmed?: Confirmation;
}

/** Returns only how the revocation was confirmed. Empty if no confirmation was requested. */
export function toConfirmed({ confirmed }: Confirmed): Confirmed {
  return confirmed === undefined ? {} : { confirmed };
}

/** Sessions that were revoked, and how the revocation was confirmed. */
export interface RevokedAndConfirmed extends RevokedSessions, Confirmed {}

/**
 * Makes a change and publishes it. `write` calls a store method with `audit`, so that the store records the events in the
 * transaction of the change. After the commit, this node applies the revocations of the change and emits the same events.
 *
 * @param eventsOf returns the events of the change. It must be pure, because it is called in the transaction, again if the
 * store repeats the transaction, and once more after the commit.
 * @param write returns the change, or `null` if nothing changed. If it returns `null` or throws, nothing is published.
 * @returns the result of `write`.
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

/** A change that revokes something. */
export interface RevocationChange<T extends object, R extends T | null> {
  /** Whether to wait until the revocation is in force on every node. */
  readonly isConfirmed: boolean;
  /** Returns the events of the change, as for `commit`. */
  readonly eventsOf: EventsOf<T>;
  /** Makes the change, as for `commit`. */
  readonly write: (options: RevocationOptions<T>) => Promise<R>;
}

/**
 * Makes a change that revokes something, and publishes it like `commit`.
 *
 * @returns the result of `write`, with `confirmed` if a confirmation was requested.
 * @throws AuthError `unavailable` if the database lost the revocation in the meantime.
 */
export function commitRevocation<T extends { readonly position?: CommitPosition }, R extends T | null>(
  deps: CommitDeps,
  change: RevocationChange<T, R>,
): Promise<R & Confirmed> {
  return trace(
    "tokenpair:revocation",
    {},
    () => commitAndConfirm(deps, change),
    (message, result) => {
      const { sessions, confirmed } = (result ?? {}) as { readonly sessions?: number; readonly confirmed?: string };
      if (sessions !== undefined) message.sessions = sessions;
      if (confirmed !== undefined) message.confirmed = confirmed;
    },
  );
}

async function commitAndConfirm<T extends { readonly position?: CommitPosition }, R extends T | null>(
  deps: CommitDeps,
  { isConfirmed, eventsOf, write }: RevocationChange<T, R>,
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

/** Returns the event that says which sessions were revoked. Returns no event if none were revoked. */
export function sessionsRevoked(
  subject: Pick<SessionsRevokedEvent, "userId" | "sessionId" | "reason" | "client">,
): EventsOf<RevokedSessions> {
  return ({ sessions, revocations: [first] }) =>
    first === undefined ? [] : [{ type: "sessions_revoked", time: first.at, sessions, ...subject }];
}
