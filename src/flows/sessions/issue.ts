import { toActor, toAmrText } from "../../core/authentication.ts";
import type { TokenPair } from "../../core/claims.ts";
import type { ClientInfo } from "../../core/client-info.ts";
import { AuthError } from "../../core/errors.ts";
import type { Session } from "../../core/session.ts";
import { hours } from "../../core/settings/durations.ts";
import { toShown } from "../../core/settings/faults.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { AuditOf } from "../../core/store/audit.ts";
import type { CreatedSession, NewSession, RevokedSessions } from "../../core/store/sessions.ts";
import type { RedeemTicketOutcome } from "../../core/store/tickets.ts";
import type { AuthUser } from "../../core/user.ts";
import { createSecret, createSessionId, deriveLoginSecret, hashSecret } from "../../crypto/secrets.ts";
import type { EventsOf, SessionsRevokedEvent } from "../../events/events.ts";
import { commit, sessionsRevoked } from "../commit.ts";
import type { Deps } from "../deps.ts";
import { type FoundUser, mayHaveTokens } from "../users/user-source.ts";
import { withActor } from "./actor.ts";
import { toDeviceToken } from "./device.ts";
import type { SessionOwner } from "./logout.ts";
import { prepareTokens, type TokenLimitOptions } from "./token-pair.ts";

/** The options of `issue`. */
export interface IssueOptions {
  /** Whether a browser keeps the refresh cookie after it is closed. Default: true. */
  readonly remember?: boolean;
  /** Who sent the request. Default: nothing is known. */
  readonly client?: ClientInfo;
  /** An earlier session of the same browser. If it belongs to that user, it is revoked in the same transaction. */
  readonly replaces?: SessionOwner | undefined;
  /**
   * How you have authenticated the user: RFC 8176 values such as `["otp"]`, or your own. At most 8, of at most 12 letters, digits,
   * ".", "_" and "-". They are the claim `amr` of the session's access tokens. Default: the tokens don't say it.
   */
  readonly amr?: readonly string[];
  /**
   * Who acts for the user, such as "support/bob": the session is an impersonation. Its access tokens have the claim `act`, its
   * entries in the audit log have the actor, and it can't change the password, be confirmed, or revoke the user's other sessions.
   * At most 64 printable ASCII characters without spaces and quotes. Default: the user.
   */
  readonly actor?: string;
  /**
   * How long the session lives at most, in whole seconds, no matter how often it is refreshed. Default: the setting
   * `sessionLifetime`. With `actor`, the default and the maximum are 3,600.
   */
  readonly lifetime?: number;
  /**
   * When the user was authenticated: whole seconds since the epoch, for example the claim `auth_time` of an ID token
   * (OpenID Connect Core 1.0, section 2). It is the claim `auth_time` of the session's access tokens, which `maxAge` checks. A time
   * in the future counts as now. Default: now.
   */
  readonly authTime?: number;
}

/** How to start a session, checked. */
export interface SessionStart extends Pick<IssueOptions, "remember" | "client" | "replaces"> {
  /** How the user was authenticated: values with spaces between them. Default: unknown. */
  readonly amr?: string | undefined;
  /** Who acts for the user. Default: the user. */
  readonly actor?: string | undefined;
  /** Seconds. Default: `sessionLifetime`. */
  readonly lifetime?: number | undefined;
  /** When the user was authenticated: whole seconds since the epoch. Default: now. */
  readonly authTime?: number | undefined;
  /** The ticket of a login that the session completes. It is used in the same transaction. Default: none. */
  readonly ticket?: UsedTicket;
}

/** A ticket to use. */
interface UsedTicket {
  /** SHA-256 of the ticket. */
  readonly hash: Uint8Array;
  /** The first secret of the session derives from it, so that a repeated request gets the same. */
  readonly idempotencyKey: string | undefined;
}

/** How long a session in which an actor acts for the user lives at most, in seconds. */
const actorLifetime = hours(1);

/** How far in the future `authTime` may be, in seconds. The clock of an identity provider may be ahead; one of milliseconds is not. */
const longestLead = hours(24);

/** A new session, its user and its first pair. */
export interface Issued {
  /** The user who is now logged in. */
  readonly user: AuthUser;
  /** The session's row. */
  readonly session: Session;
  /** The access and refresh tokens of generation 0. */
  readonly pair: TokenPair;
}

/** A session that the application has started. */
export interface IssuedToDevice extends Issued {
  /** For the device to store, also after a logout, and to send at its next login. Missing if an actor acts for the user. */
  readonly device?: string;
}

/**
 * Starts a session for a user whom the application has authenticated.
 *
 * @throws TypeError if an option is wrong.
 * @throws AuthError `no_active_account` if there is no such user or the user may not have tokens; and what `startSession` throws.
 */
export async function issue(
  deps: Deps,
  userId: string,
  { tokenLimits, ...options }: IssueOptions & TokenLimitOptions = {},
): Promise<IssuedToDevice> {
  const start = toSessionStart(deps, options);
  const found = await deps.users.find(userId);
  if (found === null) throw new AuthError("no_active_account", "no such user");
  if (!mayHaveTokens(deps.settings, found.user)) throw new AuthError("no_active_account", "the user may not log in");
  await deps.keys.ready();
  // An actor's device isn't one of the user's.
  const device =
    start.actor === undefined ? { device: toDeviceToken(deps, found.user, { userEpoch: found.epoch }) } : {};
  return { ...(await startSession(deps, found, { ...start, tokenLimits })), ...device };
}

/** Checks the options of `issue`. An actor is also who the audit log says has acted. @throws TypeError */
function toSessionStart(
  { settings, clock }: { readonly settings: Pick<Settings, "sessionLifetime">; readonly clock: Deps["clock"] },
  options: IssueOptions,
): SessionStart {
  const { remember, client, replaces, authTime } = options;
  const amr = options.amr === undefined ? undefined : toAmrText(options.amr, "issue");
  const actor = options.actor === undefined ? undefined : toActor(options.actor, "issue");
  const longest = actor === undefined ? settings.sessionLifetime : Math.min(actorLifetime, settings.sessionLifetime);
  const { lifetime = longest } = options;
  if (!Number.isSafeInteger(lifetime) || lifetime < 1 || lifetime > longest) {
    throw new TypeError(
      `issue: lifetime must be a whole number of seconds from 1 to ${longest}, got ${toShown(lifetime)}`,
    );
  }
  if (authTime !== undefined && !isPastTime(authTime, clock.now() + longestLead)) {
    throw new TypeError(
      `issue: authTime must be whole seconds since the epoch, not later than now, got ${toShown(authTime)}`,
    );
  }
  return {
    ...(remember === undefined ? {} : { remember }),
    ...(client === undefined ? {} : { client }),
    replaces,
    amr,
    actor,
    lifetime,
    authTime,
  };
}

const isPastTime = (time: number, latest: number) => Number.isSafeInteger(time) && time >= 0 && time <= latest;

/**
 * Starts a session for an authenticated user who may have tokens, and returns its first pair of tokens.
 *
 * @throws AuthError `no_active_account` or, with a ticket, `ticket_invalid` if the user was disabled, deleted or given a new
 * password since the user was read; `ticket_invalid` if the ticket can't be used; `unavailable` if the `claims` hook fails.
 * With any error, nothing has changed.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function startSession(
  deps: Deps,
  { user, epoch }: FoundUser,
  { remember = true, tokenLimits, ...start }: SessionStart & TokenLimitOptions,
): Promise<Issued> {
  const { settings, store } = deps;
  const { replaces, amr = null, actor = null, lifetime = settings.sessionLifetime, ticket, authTime } = start;
  const client = withActor(start.client ?? {}, actor);
  const tokens = await prepareTokens(deps, user, { tokenLimits });
  const base = toNewSession(deps, user.id, client);
  const key = ticket?.idempotencyKey;
  const secret = key === undefined ? createSecret(deps.random) : deriveLoginSecret(key, base.id);
  const newSession: NewSession = {
    ...base,
    userEpoch: epoch,
    currentHash: hashSecret(secret),
    persistent: remember,
    amr,
    actor,
    absoluteLifetime: lifetime,
    ...(authTime === undefined ? {} : { authenticatedAt: authTime }),
    // An actor isn't the user: it neither has logged in as the user, nor may it log the user out.
    updateLastLogin: settings.updateLastLogin && actor === null,
    maxSessions: actor === null ? base.maxSessions : null,
    ...(replaces === undefined ? {} : { replaces }),
  };
  const created = await commit(deps, sessionCreated(newSession, client), async (audit) => {
    const outcome = await insertSession(store, newSession, { ticket, audit });
    if (outcome.outcome === "created") return outcome;
    const reason = outcome.outcome === "refused" ? outcome.reason : "the ticket was used or has expired";
    throw new AuthError(ticket === undefined ? "no_active_account" : "ticket_invalid", reason);
  });
  return { user, session: created.session, pair: tokens.mintPair({ ...created, secret }) };
}

/** Inserts a session, and uses the ticket of its login, if it has one. */
function insertSession(
  store: Deps["store"],
  session: NewSession,
  { ticket, audit }: { readonly ticket: UsedTicket | undefined; readonly audit: AuditOf<CreatedSession> },
): Promise<RedeemTicketOutcome> {
  if (ticket === undefined) return store.sessions.create(session, audit);
  return store.tickets.redeem(session, ticket.hash, audit);
}

/** Returns what a new session has from the settings and the client, with a new id. */
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
