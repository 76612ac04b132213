import { toAmr } from "../../core/authentication.ts";
import { AuthError } from "../../core/errors.ts";
import type { Session } from "../../core/session.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { RevokedToken } from "../../core/store/feed.ts";
import type { RevokedSessions } from "../../core/store/sessions.ts";
import type { EventsOf } from "../../events/events.ts";
import {
  type CommitDeps,
  type Confirmed,
  commitRevocation,
  type GuardedRevocation,
  type RevocationRequest,
  type RevokedAndConfirmed,
  sessionsRevoked,
  toConfirmed,
} from "../commit.ts";
import type { Deps } from "../deps.ts";
import type { SessionOwner } from "./logout.ts";
import { findSessionRefusal } from "./session-refusal.ts";

/** A session, as shown to its user and to operators. Times are whole seconds since the epoch. */
export interface SessionView {
  /** The session's id, which is the claim `sid` of its tokens. */
  readonly id: string;
  /** The user who logged in. */
  readonly userId: string;
  /** When the user logged in. */
  readonly createdAt: number;
  /** When the user last logged in or refreshed. */
  readonly lastUsedAt: number;
  /** When the session expires if it is not refreshed. */
  readonly expiresAt: number;
  /** The `User-Agent` header of the last login or refresh. */
  readonly userAgent: string | null;
  /** The client's IP address at the last login or refresh. */
  readonly ip: string | null;
  /** The name that the user gave the session, or `null` if it has no name. */
  readonly label: string | null;
  /** When the user was last authenticated: at the login, or when the session was confirmed since. 0: long ago. */
  readonly authenticatedAt: number;
  /** How the user was authenticated, such as `["pwd", "otp"]`. Empty if it is unknown. */
  readonly amr: readonly string[];
  /** Who acts for the user in this session; `null` if the user does. */
  readonly actor: string | null;
  /** Whether a browser keeps the session's refresh cookie after it is closed. */
  readonly persistent: boolean;
}

/** The dependencies of the session flows: fewer than `Deps`, so that a CLI without a signing key can provide them. */
export type SessionDeps = Pick<Deps, "store"> &
  CommitDeps & { readonly settings: Pick<Settings, "confirmRevocations"> };

/** The options of `sessions.revoke`. */
export interface RevokeOptions extends RevocationRequest {
  /** The user who must own the session. Otherwise it is not revoked. Default: any user. */
  readonly userId?: string | undefined;
}

/** The maximum number of sessions in a list. */
export const maxListedSessions = 1000;

/** Converts a session's row to the form that is shown to its user. */
export function toSessionView(session: Session): SessionView {
  const { id, userId, createdAt, lastUsedAt, idleExpiresAt: expiresAt, userAgent, ip, label } = session;
  const { authenticatedAt, amr, actor, persistent } = session;
  const authentication = { authenticatedAt, amr: toAmr(amr), actor };
  return { id, userId, createdAt, lastUsedAt, expiresAt, userAgent, ip, label, ...authentication, persistent };
}

/**
 * Returns the live sessions of a user or, without `userId`, of all users. They are sorted from newest to oldest, and at
 * most 1,000 are returned.
 */
export async function listSessions(deps: SessionDeps, userId?: string): Promise<readonly SessionView[]> {
  const { sessions } = await deps.store.sessions.list({
    limit: maxListedSessions,
    ...(userId === undefined ? {} : { userId }),
  });
  return sessions.map(toSessionView);
}

/**
 * Returns a session that has not been revoked.
 *
 * @throws AuthError `session_not_found` if there is no such session.
 */
export async function findSession(deps: SessionDeps, sessionId: string): Promise<SessionView> {
  const found = await deps.store.sessions.find(sessionId);
  if (found === null || found.session.revokedAt !== null) throw notFound();
  return toSessionView(found.session);
}

/**
 * Sets or removes the label of a live session of this user.
 *
 * @throws AuthError `session_not_found` if the user has no such live session.
 */
export async function labelSession(
  deps: SessionDeps,
  { sessionId, userId }: SessionOwner,
  label: string | null,
): Promise<SessionView> {
  const session = await deps.store.sessions.label(sessionId, userId, label);
  if (session === null) throw notFound();
  return toSessionView(session);
}

/**
 * Revokes one session and its access tokens. The change is durable when the promise fulfils.
 *
 * @throws AuthError `session_not_found` if there is no live session with this id, or if it belongs to a different user.
 */
export async function revokeSession(
  deps: SessionDeps,
  sessionId: string,
  { userId, client = {}, confirmed, guard }: RevokeOptions & GuardedRevocation = {},
): Promise<Confirmed> {
  const subject = { sessionId, reason: "revoked", client, ...(userId === undefined ? {} : { userId }) } as const;
  const revoked = await commitRevocation(deps, {
    // The setting doesn't confirm what users do with their own sessions.
    isConfirmed: confirmed ?? (userId === undefined && deps.settings.confirmRevocations),
    eventsOf: sessionsRevoked(subject),
    write: (options) => deps.store.sessions.revoke(sessionId, "revoked", { userId, ...options, guard }),
  });
  if (revoked.sessions === 0) throw notFound();
  return toConfirmed(revoked);
}

/**
 * Revokes some sessions and their access tokens, in one transaction. Each session that was live has its own event. Pass at
 * most some dozens at a time. The change is durable when the promise fulfils.
 *
 * @param owners the user of each session, by the session's id.
 */
export function revokeSessions(
  deps: SessionDeps,
  owners: ReadonlyMap<string, string>,
  { client = {}, confirmed = deps.settings.confirmRevocations, guard }: GuardedRevocation = {},
): Promise<RevokedAndConfirmed> {
  const eventsOf: EventsOf<RevokedSessions> = ({ revocations }) =>
    revocations.flatMap((revocation) => {
      if (revocation.kind !== "session") return [];
      const { sessionId, at: time } = revocation;
      const userId = owners.get(sessionId);
      const subject = { sessionId, ...(userId === undefined ? {} : { userId }), client } as const;
      return [{ type: "sessions_revoked", time, sessions: 1, reason: "revoked", ...subject } as const];
    });
  return commitRevocation(deps, {
    isConfirmed: confirmed,
    eventsOf,
    write: (options) => deps.store.sessions.revokeEach([...owners.keys()], "revoked", { ...options, guard }),
  });
}

/** Revokes all sessions and access tokens of a user. The change is durable when the promise fulfils. */
export function revokeSessionsForUser(
  deps: SessionDeps,
  userId: string,
  { client = {}, confirmed = deps.settings.confirmRevocations, guard }: GuardedRevocation = {},
): Promise<RevokedAndConfirmed> {
  return commitRevocation(deps, {
    isConfirmed: confirmed,
    eventsOf: sessionsRevoked({ userId, reason: "revoked", client }),
    write: (options) => deps.store.sessions.revokeForUser(userId, "revoked", { ...options, guard }),
  });
}

/**
 * Revokes all sessions and access tokens of all users, including tokens that were issued in this second. The change is
 * durable when the promise fulfils.
 */
export function revokeAllSessions(
  deps: SessionDeps,
  { client = {}, confirmed = deps.settings.confirmRevocations, guard }: GuardedRevocation = {},
): Promise<RevokedAndConfirmed> {
  return commitRevocation(deps, {
    isConfirmed: confirmed,
    eventsOf: sessionsRevoked({ reason: "revoked", client }),
    write: (options) => deps.store.sessions.revokeAll("revoked", { ...options, guard }),
  });
}

/**
 * Revokes one access token. Its session continues. The change is durable when the promise fulfils.
 *
 * @param tokenId the token's `jti`.
 */
export async function revokeToken(
  deps: SessionDeps,
  tokenId: string,
  { client = {}, confirmed = deps.settings.confirmRevocations, guard }: GuardedRevocation = {},
): Promise<Confirmed> {
  const revoked = await commitRevocation(deps, {
    isConfirmed: confirmed,
    eventsOf: ({ revocations: [{ at: time }] }: RevokedToken) => [{ type: "token_revoked", time, tokenId, client }],
    write: (options) => deps.store.feed.revokeToken(tokenId, { ...options, guard }),
  });
  return toConfirmed(revoked);
}

/**
 * Looks up when a session expires. Used for a signal that follows the session.
 *
 * @returns the number of seconds from now, or `null` if the session is no longer live.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function findSessionEnd({ store }: Pick<Deps, "store">, sessionId: string): Promise<number | null> {
  const found = await store.sessions.find(sessionId);
  if (found === null || findSessionRefusal(found) !== null) return null;
  return found.session.idleExpiresAt - found.now;
}

const notFound = () => new AuthError("session_not_found", "no such live session");
