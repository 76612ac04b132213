import { toAmrText } from "../core/authentication.ts";
import type { TokenPair } from "../core/claims.ts";
import type { ClientInfo } from "../core/client-info.ts";
import { AuthError } from "../core/errors.ts";
import type { Session } from "../core/session.ts";
import type { SessionAt } from "../core/store/sessions.ts";
import type { EventsOf } from "../events/events.ts";
import { commit } from "./commit.ts";
import type { Deps } from "./deps.ts";
import { reportLoginFailure } from "./login.ts";
import { impersonated, requireNoActor } from "./sessions/actor.ts";
import type { SessionOwner } from "./sessions/logout.ts";
import { findSessionRefusal } from "./sessions/session-refusal.ts";
import { prepareTokens, type TokenLimitOptions } from "./sessions/token-pair.ts";
import { countAttempt } from "./throttling/counted-attempt.ts";
import { type FoundUser, mayHaveTokens } from "./users/user-source.ts";

/** How a user has been authenticated again. */
export interface ReauthenticationOptions {
  /**
   * RFC 8176 values such as `["otp"]`, or your own. They are added to those of the session. At most 8, of at most 12 letters,
   * digits, ".", "_" and "-".
   */
  readonly amr: readonly string[];
  /** Who sent the request. Default: nothing is known. */
  readonly client?: ClientInfo | undefined;
}

/** A session whose user was authenticated again. */
export interface Reauthenticated {
  /** The session's row. */
  readonly session: Session;
  /** A new access token of the session, which says when and how the user was authenticated. */
  readonly pair: Pick<TokenPair, "access" | "accessExpiresIn">;
}

/**
 * Records that the application has authenticated a session's user again: the session's access tokens then say so, from the one
 * that is returned.
 *
 * @throws TypeError if `amr` is wrong.
 * @throws AuthError `impersonated`; `user_not_found`; a `token_` code or `password_changed` if the session is over;
 * `unavailable`. With any error, nothing has changed.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function reauthenticate(
  deps: Deps,
  owner: SessionOwner,
  { amr, client = {}, tokenLimits }: ReauthenticationOptions & TokenLimitOptions,
): Promise<Reauthenticated> {
  const methods = toAmrText(amr, "confirm");
  const found = await deps.users.find(owner.userId);
  if (found === null) throw new AuthError("user_not_found", "no such user");
  return record(deps, owner, { found, userEpoch: null, methods, client, tokenLimits });
}

/** How to authenticate a session's user again by the user's password. */
export interface PasswordReauthenticationOptions extends TokenLimitOptions {
  /** The password, used exactly as given. */
  readonly password: string;
  /** Who sent the request. Default: nothing is known. */
  readonly client?: ClientInfo | undefined;
}

/**
 * Authenticates a session's user again by the password. A wrong one counts as a failed login.
 *
 * @throws AuthError `wrong_password`; `throttled`, with `retryAfter`; and what `reauthenticate` throws.
 */
export async function reauthenticateByPassword(
  deps: Deps,
  owner: SessionOwner,
  { password, client = {}, tokenLimits }: PasswordReauthenticationOptions,
): Promise<Reauthenticated> {
  const { userId, sessionId } = owner;
  await requireNoActor(deps, sessionId);
  const found = await verifyPasswordOf(deps, owner, { password, client }).catch(async (error: unknown) => {
    await reportLoginFailure(deps, error, { userId, sessionId, client });
    throw error;
  });
  return record(deps, owner, { found, userEpoch: found.epoch, methods: "pwd", client, tokenLimits });
}

/** Verifies the password of a session's user as one counted attempt. @throws AuthError `wrong_password`, `throttled`. */
async function verifyPasswordOf(
  deps: Deps,
  { userId, sessionId }: SessionOwner,
  { password, client }: { readonly password: string; readonly client: ClientInfo },
): Promise<FoundUser> {
  const user = (await deps.users.find(userId))?.user;
  if (user === undefined) throw new AuthError("user_not_found", "no such user");
  const candidate = await deps.users.identify(user.username);
  const verify = async () => {
    const verified = await deps.users.verify(candidate, password);
    return verified?.user.id === userId && mayHaveTokens(deps.settings, verified.user) ? verified : null;
  };
  const found = await countAttempt(deps, candidate, { client, device: { sessionId }, verify });
  if (found === null) throw new AuthError("wrong_password", "wrong password");
  return found;
}

interface Reauthentication extends TokenLimitOptions {
  readonly found: FoundUser;
  /** The epoch under which the user was authenticated; `null`: not known. */
  readonly userEpoch: number | null;
  /** With spaces between them. */
  readonly methods: string;
  readonly client: ClientInfo;
}

async function record(
  deps: Deps,
  { userId, sessionId }: SessionOwner,
  { found, userEpoch, methods, client, tokenLimits }: Reauthentication,
): Promise<Reauthenticated> {
  const tokens = await prepareTokens(deps, found.user, { tokenLimits });
  const eventsOf: EventsOf<SessionAt> = ({ now: time }) => [
    { type: "session_confirmed", time, userId, sessionId, amr: methods, client },
  ];
  const { accessTokenLifetime: accessLifetime } = deps.settings;
  const change = { userId, sessionId, userEpoch, amr: methods, accessLifetime };
  const changed = await commit(deps, eventsOf, (audit) => deps.store.sessions.reauthenticate(change, audit));
  if (changed === null) throw await findRefusal(deps, { userId, sessionId });
  return { session: changed.session, pair: tokens.mintAccess(changed) };
}

/** Returns why the session was not changed. */
async function findRefusal({ store }: Deps, { userId, sessionId }: SessionOwner): Promise<AuthError> {
  const found = await store.sessions.find(sessionId);
  const over = findSessionRefusal(found);
  if (over !== null) return over;
  if (found?.session.userId !== userId) return new AuthError("token_invalid", "the session is another user's");
  if (found.session.actor !== null) return impersonated();
  return new AuthError("token_revoked", "the session or the password changed meanwhile");
}
