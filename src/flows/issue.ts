import type { TokenPair } from "../core/claims.ts";
import type { ClientInfo } from "../core/client-info.ts";
import { AuthError } from "../core/errors.ts";
import type { Session } from "../core/session.ts";
import type { CreatedSession, NewSession, RevokedSessions } from "../core/store/sessions.ts";
import type { AuthUser } from "../core/user.ts";
import { createSecret, createSessionId, hashSecret } from "../crypto/secrets.ts";
import type { EventsOf, SessionsRevokedEvent } from "../events/events.ts";
import { commit, sessionsRevoked } from "./commit.ts";
import type { Deps } from "./deps.ts";
import type { SessionOwner } from "./logout.ts";
import { prepareTokens, type TokenLimitOptions } from "./token-pair.ts";
import { type FoundUser, mayHaveTokens } from "./user-source.ts";

/** The options of `issue`. */
export interface IssueOptions {
  /** Whether a browser keeps the refresh cookie after it is closed. Default: true. */
  readonly remember?: boolean;
  /** Who sent the request. Default: nothing is known. */
  readonly client?: ClientInfo;
  /** An earlier session of the same browser. If it belongs to that user, it is revoked in the same transaction. */
  readonly replaces?: SessionOwner | undefined;
}

/** A new session, its user and its first pair of tokens. */
export interface Issued {
  /** The user who is now logged in. */
  readonly user: AuthUser;
  /** The session's row. */
  readonly session: Session;
  /** The access and refresh tokens of generation 0. */
  readonly pair: TokenPair;
}

/**
 * Starts a session for a user whom the application has authenticated.
 *
 * @throws AuthError `no_active_account` if there is no such user, or if the user may not have tokens. It also throws the
 * errors of `startSession`.
 */
export async function issue(deps: Deps, userId: string, options: IssueOptions = {}): Promise<Issued> {
  const found = await deps.users.find(userId);
  if (found === null) throw new AuthError("no_active_account", "no such user");
  if (!mayHaveTokens(deps.settings, found.user)) throw new AuthError("no_active_account", "the user may not log in");
  return startSession(deps, found, options);
}

/**
 * Starts a session for an authenticated user who may have tokens, and returns its first pair of tokens.
 *
 * @throws AuthError `no_active_account` if the user was disabled, deleted or given a new password after the user was read.
 * `unavailable` if the `claims` hook fails. If it throws, nothing has changed.
 * @throws StoreUnavailableError with nothing changed.
 */
export async function startSession(
  deps: Deps,
  { user, epoch }: FoundUser,
  { remember = true, client = {}, replaces, tokenLimits }: IssueOptions & TokenLimitOptions,
): Promise<Issued> {
  const { settings, store } = deps;
  const tokens = await prepareTokens(deps, user, { tokenLimits });
  const secret = createSecret(deps.random);
  const newSession: NewSession = {
    ...toNewSession(deps, user.id, client),
    userEpoch: epoch,
    currentHash: hashSecret(secret),
    persistent: remember,
    updateLastLogin: settings.updateLastLogin,
    ...(replaces === undefined ? {} : { replaces }),
  };
  const created = await commit(deps, sessionCreated(newSession, client), async (audit) => {
    const outcome = await store.sessions.create(newSession, audit);
    if (outcome.outcome === "refused") throw new AuthError("no_active_account", outcome.reason);
    return outcome;
  });
  return { user, session: created.session, pair: tokens.mintPair({ ...created, secret }) };
}

/** Returns the members of a new session that come from the settings and the client, with a new id. */
export function toNewSession(
  { settings, clock, random }: Pick<Deps, "settings" | "clock" | "random">,
  userId: string,
  { userAgent, ip }: ClientInfo,
) {
  return {
    id: createSessionId(clock.now(), random),
    userId,
    idleLifetime: settings.refreshTokenLifetime,
    absoluteLifetime: settings.sessionLifetime,
    userAgent: userAgent ?? null,
    ip: ip ?? null,
    accessLifetime: settings.accessTokenLifetime,
    maxSessions: settings.maxSessionsPerUser,
  } satisfies Partial<NewSession>;
}

/** Returns the events about sessions that were revoked because the user had too many. */
export function sessionsLimited(
  limited: readonly string[],
  subject: Pick<SessionsRevokedEvent, "time" | "client"> & { readonly userId: string },
): readonly SessionsRevokedEvent[] {
  return limited.map((sessionId) => ({
    type: "sessions_revoked",
    ...subject,
    sessionId,
    sessions: 1,
    reason: "limit",
  }));
}

/** Returns the events of a login: the sessions that it revoked, the login, and the new device. */
function sessionCreated({ id: sessionId, userId, replaces }: NewSession, client: ClientInfo): EventsOf<CreatedSession> {
  const replaced: EventsOf<RevokedSessions> =
    replaces === undefined ? () => [] : sessionsRevoked({ ...replaces, reason: "replaced", client });
  return ({ now: time, revocations, limited, isNewDevice }) => {
    const subject = { time, userId, sessionId, client };
    const first = revocations.slice(0, revocations.length - limited.length);
    return [
      ...replaced({ sessions: first.length, revocations: first }),
      ...sessionsLimited(limited, subject),
      { type: "login", ...subject },
      ...(isNewDevice ? [{ type: "new_device", ...subject } as const] : []),
    ];
  };
}
