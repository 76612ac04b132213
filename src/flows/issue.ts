import type { TokenPair } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import type { RequestOrigin } from "../core/events.ts";
import type { Session } from "../core/session.ts";
import type { CreatedSession, NewSession } from "../core/store.ts";
import type { AuthUser } from "../core/user.ts";
import { createSecret, createSessionId, hashSecret } from "../crypto/secrets.ts";
import { announce, tellEnding } from "./announce.ts";
import type { Tell } from "./auditor.ts";
import type { Deps } from "./deps.ts";
import { mintPair, toApplicationClaims } from "./token-pair.ts";
import { type FoundUser, mayHaveTokens } from "./user-source.ts";

export interface IssueOptions {
  /** Whether a browser keeps the refresh cookie when it closes. Default: true. */
  readonly remember?: boolean;
  readonly origin?: RequestOrigin;
  /** The id of an earlier session of the same browser; it ends in the same transaction. */
  readonly replaces?: string | undefined;
}

export interface Issued {
  readonly user: AuthUser;
  readonly session: Session;
  readonly pair: TokenPair;
}

/**
 * Starts a session for a user who has been authenticated, and gives its first pair.
 *
 * @throws AuthError `no_active_account` where the user may not have tokens, or was disabled or given a new password
 * since `found` was read; `unavailable` where the store or the claims hook fails.
 */
export async function issue(
  deps: Deps,
  { user, epoch }: FoundUser,
  { remember = true, origin = {}, replaces }: IssueOptions = {},
): Promise<Issued> {
  const { settings, store } = deps;
  requireMayHaveTokens(deps, user);
  const claims = await toApplicationClaims(deps, user);
  const secret = createSecret(deps.random);
  const newSession = {
    id: createSessionId(deps.clock.now(), deps.random),
    userId: user.id,
    userEpoch: epoch,
    currentHash: hashSecret(secret),
    idleLifetime: settings.refreshTokenLifetime,
    absoluteLifetime: settings.sessionLifetime,
    persistent: remember,
    userAgent: origin.userAgent ?? null,
    ip: origin.ip ?? null,
    updateLastLogin: settings.updateLastLogin,
    ...(replaces === undefined ? {} : { replaces }),
  };
  const tell = tellLogin(newSession, origin);
  const created = await store.sessions.create(newSession, deps.audit(tell));
  if (created.outcome === "refused") throw new AuthError("no_active_account", created.reason);
  const { session, now } = announce(deps, created, tell);
  return { user, session, pair: mintPair(deps, { session, secret, claims, now }) };
}

function tellLogin({ id: sessionId, userId, replaces }: NewSession, origin: RequestOrigin): Tell<CreatedSession> {
  return ({ now: time, revocations, isNewDevice }) => [
    ...(replaces === undefined
      ? []
      : tellEnding({ sessionId: replaces, reason: "replaced", origin })({ sessions: revocations.length, revocations })),
    { type: "login", time, userId, sessionId, origin },
    ...(isNewDevice ? [{ type: "new_device", time, userId, sessionId, origin } as const] : []),
  ];
}

/** @throws AuthError `no_active_account`. */
export function requireMayHaveTokens({ settings }: Pick<Deps, "settings">, user: AuthUser): void {
  if (!mayHaveTokens(settings, user)) throw new AuthError("no_active_account", "the user may not log in");
}
