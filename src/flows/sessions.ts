import { toAmr } from "../core/authentication.ts";
import type { ClientInfo } from "../core/client-info.ts";
import { AuthError } from "../core/errors.ts";
import type { Session } from "../core/session.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { RevokedToken } from "../core/store/feed.ts";
import {
  type CommitDeps,
  type Confirmed,
  type ConfirmOptions,
  commitRevocation,
  type RevokedAndConfirmed,
  sessionsRevoked,
} from "./commit.ts";
import type { Deps } from "./deps.ts";
import type { SessionOwner } from "./logout.ts";
import { findSessionRefusal } from "./session-refusal.ts";

/** A session as its user and an operator see it. Times are whole seconds since the epoch. */
export interface SessionView {
  /** The session's id, `sid`. */
  readonly id: string;
  /** The user who logged in. */
  readonly userId: string;
  /** The time of the login. */
  readonly createdAt: number;
  /** The time of the last login or refresh. */
  readonly lastUsedAt: number;
  /** When the session expires if it is not used. */
  readonly expiresAt: number;
  /** The `User-Agent` of the last login or refresh. */
  readonly userAgent: string | null;
  /** The client's address at the last login or refresh. */
  readonly ip: string | null;
  /** The name that the user gave the session; `null` if there is none. */
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

/** What the session flows need: less than `Deps`, so that a command line without a signing key can run them. */
export type SessionDeps = Pick<Deps, "store"> &
  CommitDeps & { readonly settings: Pick<Settings, "confirmRevocations"> };

/** How to revoke something. */
export interface RevocationRequest extends ConfirmOptions {
  /** Who sent the request. Default: nothing is known. */
  readonly client?: ClientInfo | undefined;
}

/** How to revoke a session. */
export interface RevokeOptions extends ConfirmOptions {
  /** Revokes the session only if it is this user's. Default: any user's. */
  readonly userId?: string | undefined;
  /** Who sent the request. Default: nothing is known. */
  readonly client?: ClientInfo;
}

/** The maximum number of sessions in a list. */
export const maxListedSessions = 1000;

/** Converts a row to what its user may see. */
export function toSessionView(session: Session): SessionView {
  const { id, userId, createdAt, lastUsedAt, idleExpiresAt: expiresAt, userAgent, ip, label } = session;
  const { authenticatedAt, amr, actor, persistent } = session;
  const authentication = { authenticatedAt, amr: toAmr(amr), actor };
  return { id, userId, createdAt, lastUsedAt, expiresAt, userAgent, ip, label, ...authentication, persistent };
}

/** Returns the live sessions of a user or, without `userId`, of all users: newest first, at most 1,000. */
export async function listSessions(deps: SessionDeps, userId?: string): Promise<readonly SessionView[]> {
  const { sessions } = await deps.store.sessions.list({
    limit: maxListedSessions,
    ...(userId === undefined ? {} : { userId }),
  });
  return sessions.map(toSessionView);
}

/**
 * Returns one session that has not been revoked.
 *
 * @throws AuthError `session_not_found`.
 */
export async function findSession(deps: SessionDeps, sessionId: string): Promise<SessionView> {
  const found = await deps.store.sessions.find(sessionId);
  if (found === null || found.session.revokedAt !== null) throw notFound();
  return toSessionView(found.session);
}

/**
 * Sets or removes the label of a live session of this user.
 *
 * @throws AuthError `session_not_found`.
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
 * @throws AuthError `session_not_found` if there is no such session, it is another user's, or it is over already.
 */
export async function revokeSession(
  deps: SessionDeps,
  sessionId: string,
  { userId, client = {}, confirmed }: RevokeOptions = {},
): Promise<Confirmed> {
  const subject = { sessionId, reason: "revoked", client, ...(userId === undefined ? {} : { userId }) } as const;
  // The setting doesn't confirm what users do with their own sessions.
  const isConfirmed = confirmed ?? (userId === undefined && deps.settings.confirmRevocations);
  const revoked = await commitRevocation(deps, isConfirmed, sessionsRevoked(subject), (options) =>
    deps.store.sessions.revoke(sessionId, "revoked", { userId, ...options }),
  );
  if (revoked.sessions === 0) throw notFound();
  return revoked.confirmed === undefined ? {} : { confirmed: revoked.confirmed };
}

/** Revokes every session and access token of a user. Durable when the promise fulfils. */
export function revokeSessionsForUser(
  deps: SessionDeps,
  userId: string,
  { client = {}, confirmed = deps.settings.confirmRevocations }: RevocationRequest = {},
): Promise<RevokedAndConfirmed> {
  return commitRevocation(deps, confirmed, sessionsRevoked({ userId, reason: "revoked", client }), (options) =>
    deps.store.sessions.revokeForUser(userId, "revoked", options),
  );
}

/** Revokes every session and access token, including tokens issued in this second. Durable when the promise fulfils. */
export function revokeAllSessions(
  deps: SessionDeps,
  { client = {}, confirmed = deps.settings.confirmRevocations }: RevocationRequest = {},
): Promise<RevokedAndConfirmed> {
  return commitRevocation(deps, confirmed, sessionsRevoked({ reason: "revoked", client }), (options) =>
    deps.store.sessions.revokeAll("revoked", options),
  );
}

/**
 * Revokes one access token; its session continues. Durable when the promise fulfils.
 *
 * @param tokenId the token's `jti`.
 */
export async function revokeToken(
  deps: SessionDeps,
  tokenId: string,
  { client = {}, confirmed = deps.settings.confirmRevocations }: RevocationRequest = {},
): Promise<Confirmed> {
  const revoked = await commitRevocation(
    deps,
    confirmed,
    ({ revocations: [{ at: time }] }: RevokedToken) => [{ type: "token_revoked", time, tokenId, client }],
    (options) => deps.store.feed.revokeToken(tokenId, options),
  );
  return revoked.confirmed === undefined ? {} : { confirmed: revoked.confirmed };
}

/**
 * Looks up when a session expires, for a signal that follows it.
 *
 * @returns seconds from now; `null` if the session is over.
 * @throws StoreUnavailableError
 */
export async function findSessionEnd({ store }: Pick<Deps, "store">, sessionId: string): Promise<number | null> {
  const found = await store.sessions.find(sessionId);
  if (found === null || findSessionRefusal(found) !== null) return null;
  return found.session.idleExpiresAt - found.now;
}

const notFound = () => new AuthError("session_not_found", "no such live session");
