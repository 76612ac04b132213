import { AuthError } from "../core/errors.ts";
import type { RequestOrigin } from "../core/events.ts";
import type { Revocation } from "../core/revocation.ts";
import type { Session } from "../core/session.ts";
import type { Ended } from "../core/store.ts";
import { type Announcer, announce, tellEnding } from "./announce.ts";
import type { Tell } from "./auditor.ts";
import type { Deps } from "./deps.ts";

/** A session as its owner and the operator see it: where and when, no hash. Times are seconds since the epoch. */
export interface SessionView {
  readonly id: string;
  readonly userId: string;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  /** When it ends if it is not used. */
  readonly expiresAt: number;
  readonly userAgent: string | null;
  readonly ip: string | null;
  readonly label: string | null;
}

/** What the session flows need: less than `Deps`, so that a command line without a signing key can run them. */
export type SessionDeps = Pick<Deps, "store"> & Announcer;

/** The most sessions in a list: enough for a page of devices, and for an operator's. */
export const maxListedSessions = 1000;

export function toSessionView(session: Session): SessionView {
  const { id, userId, createdAt, lastUsedAt, idleExpiresAt, userAgent, ip, label } = session;
  return { id, userId, createdAt, lastUsedAt, expiresAt: idleExpiresAt, userAgent, ip, label };
}

/** The live sessions of a user, or of everybody, newest first; at most 1,000. */
export async function listSessions(deps: SessionDeps, userId?: string): Promise<readonly SessionView[]> {
  const { sessions } = await deps.store.sessions.list({
    limit: maxListedSessions,
    ...(userId === undefined ? {} : { userId }),
  });
  return sessions.map(toSessionView);
}

/** One session that has not been ended. @throws AuthError `session_not_found`. */
export async function findSession(deps: SessionDeps, sessionId: string): Promise<SessionView> {
  const found = await deps.store.sessions.find(sessionId);
  if (found === null || found.session.revokedAt !== null) throw notFound();
  return toSessionView(found.session);
}

/** Names one's own session. @throws AuthError `session_not_found`. */
export async function labelSession(
  deps: SessionDeps,
  owner: { readonly sessionId: string; readonly userId: string },
  label: string | null,
): Promise<SessionView> {
  const session = await deps.store.sessions.label(owner.sessionId, owner.userId, label);
  if (session === null) throw notFound();
  return toSessionView(session);
}

/**
 * Ends one session; with `userId`, only that user's. Durable before it fulfils.
 *
 * @throws AuthError `session_not_found` where there is none, it is somebody else's, or it has ended already.
 */
export async function endSession(
  deps: SessionDeps,
  sessionId: string,
  { userId, origin = {} }: { readonly userId?: string | undefined; readonly origin?: RequestOrigin } = {},
): Promise<void> {
  const tell = tellEnding({ sessionId, reason: "revoked", origin, ...(userId === undefined ? {} : { userId }) });
  const ended = await deps.store.sessions.revoke(sessionId, "revoked", { userId, audit: deps.audit(tell) });
  if (ended.sessions === 0) throw notFound();
  announce(deps, ended, tell);
}

/** Ends every session and access token of a user, at once and on every node. */
export async function endSessionsOfUser(deps: SessionDeps, userId: string, origin: RequestOrigin = {}): Promise<Ended> {
  const tell = tellEnding({ userId, reason: "revoked", origin });
  return announce(deps, await deps.store.sessions.revokeOfUser(userId, "revoked", { audit: deps.audit(tell) }), tell);
}

/** Ends every session and access token there is. Tokens issued in this very second end too. */
export async function endAllSessions(deps: SessionDeps, origin: RequestOrigin = {}): Promise<Ended> {
  const tell = tellEnding({ reason: "revoked", origin });
  return announce(deps, await deps.store.sessions.revokeAll("revoked", deps.audit(tell)), tell);
}

/** Ends one access token before it expires; its session goes on. */
export async function revokeToken(deps: SessionDeps, tokenId: string, origin: RequestOrigin = {}): Promise<void> {
  const tell: Tell<Revocation> = ({ at: time }) => [{ type: "token_revoked", time, tokenId, origin }];
  const revocation = await deps.store.feed.revokeToken(tokenId, deps.audit(tell));
  announce(deps, { revocations: [revocation] }, () => tell(revocation));
}

const notFound = () => new AuthError("session_not_found", "no such live session");
