import type { ClientInfo } from "../core/client-info.ts";
import { AuthError } from "../core/errors.ts";
import type { Session } from "../core/session.ts";
import type { RevokedToken } from "../core/store/feed.ts";
import type { RevokedSessions } from "../core/store/sessions.ts";
import { type CommitDeps, commit, sessionsRevoked } from "./commit.ts";
import type { Deps } from "./deps.ts";
import type { SessionOwner } from "./logout.ts";

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
}

/** What the session flows need: less than `Deps`, so that a command line without a signing key can run them. */
export type SessionDeps = Pick<Deps, "store"> & CommitDeps;

/** How to revoke a session. */
export interface RevokeOptions {
  /** Revokes the session only if it is this user's. Default: any user's. */
  readonly userId?: string | undefined;
  /** Who sent the request. Default: nothing is known. */
  readonly client?: ClientInfo;
}

/** The most sessions in a list. */
export const maxListedSessions = 1000;

/** Converts a row to what its user may see. */
export function toSessionView(session: Session): SessionView {
  const { id, userId, createdAt, lastUsedAt, idleExpiresAt, userAgent, ip, label } = session;
  return { id, userId, createdAt, lastUsedAt, expiresAt: idleExpiresAt, userAgent, ip, label };
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
  { userId, client = {} }: RevokeOptions = {},
): Promise<void> {
  const subject = { sessionId, reason: "revoked", client, ...(userId === undefined ? {} : { userId }) } as const;
  const { sessions } = await commit(deps, sessionsRevoked(subject), (audit) =>
    deps.store.sessions.revoke(sessionId, "revoked", { userId, audit }),
  );
  if (sessions === 0) throw notFound();
}

/** Revokes every session and access token of a user. Durable when the promise fulfils. */
export function revokeSessionsForUser(
  deps: SessionDeps,
  userId: string,
  client: ClientInfo = {},
): Promise<RevokedSessions> {
  return commit(deps, sessionsRevoked({ userId, reason: "revoked", client }), (audit) =>
    deps.store.sessions.revokeForUser(userId, "revoked", { audit }),
  );
}

/** Revokes every session and access token, including tokens issued in this second. Durable when the promise fulfils. */
export function revokeAllSessions(deps: SessionDeps, client: ClientInfo = {}): Promise<RevokedSessions> {
  return commit(deps, sessionsRevoked({ reason: "revoked", client }), (audit) =>
    deps.store.sessions.revokeAll("revoked", audit),
  );
}

/**
 * Revokes one access token; its session continues. Durable when the promise fulfils.
 *
 * @param tokenId the token's `jti`.
 */
export async function revokeToken(deps: SessionDeps, tokenId: string, client: ClientInfo = {}): Promise<void> {
  await commit(
    deps,
    ({ revocations: [{ at: time }] }: RevokedToken) => [{ type: "token_revoked", time, tokenId, client }],
    (audit) => deps.store.feed.revokeToken(tokenId, audit),
  );
}

const notFound = () => new AuthError("session_not_found", "no such live session");
