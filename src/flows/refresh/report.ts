import type { RefreshClaims, TokenPair } from "../../core/claims.ts";
import type { ClientInfo } from "../../core/client-info.ts";
import type { AuthError } from "../../core/errors.ts";
import type { Session } from "../../core/session.ts";
import type { AuthUser } from "../../core/user.ts";
import type { RefreshEvent, RefreshOutcome } from "../../events/events.ts";
import type { Deps } from "../deps.ts";
import { withActor } from "../sessions/actor.ts";
import type { TokenLimitOptions } from "../sessions/token-pair.ts";
import type { WithPublicClaims } from "../tokens/public-claims.ts";

/** The options of a refresh. */
export interface RefreshOptions {
  /**
   * The client's `Idempotency-Key`, which the client creates before the first attempt and repeats with every retry. A retry
   * with the same key gets the same new token, no matter how late it is. Default: none.
   */
  readonly idempotencyKey?: string | undefined;
  /** Who sent the request. Default: nothing is known. */
  readonly client?: ClientInfo;
}

/** The options of a refresh by a route. */
export interface RefreshByRouteOptions extends RefreshOptions, TokenLimitOptions {
  /** Whether `user` and `publicClaims` of `Refreshed` are needed. They are read before the session changes. Default: false. */
  readonly readsUser?: boolean;
}

/** A session that was refreshed. */
export interface Refreshed extends WithPublicClaims {
  /**
   * `rotated`: the pair is new. `replayed`: the pair has the same refresh token again. `not_rotated`: the refresh token is
   * of the same generation. `redeemed`: the session is new, for a refresh token of simplejwt.
   */
  readonly outcome: "rotated" | "replayed" | "not_rotated" | "redeemed";
  /** The session's row after the refresh. */
  readonly session: Session;
  /** The new pair. It has no `refresh` if `rotateRefreshTokens` is false, because the presented token stays valid. */
  readonly pair: Omit<TokenPair, "refresh"> & { readonly refresh?: string };
  /** The session's user. Missing if the refresh didn't read the user. */
  readonly user?: AuthUser;
}

/** The result of a refresh, as reported in its event. */
export interface RefreshReport {
  readonly outcome: RefreshOutcome;
  /** The time of the refresh, in whole seconds since the epoch. */
  readonly time: number;
  /** Why the refresh was refused. */
  readonly reason?: string;
}

/**
 * Returns the event about a refresh.
 *
 * @param presented the token's claims, or `null` if the token was not genuine.
 */
export function toRefreshEvent(
  presented: ReportedClaims | null,
  report: RefreshReport,
  { client = {} }: RefreshOptions,
): RefreshEvent {
  const event = { type: "refresh", ...report, client } as const;
  if (presented === null) return event;
  const { userId, sessionId, generation } = presented;
  return {
    ...event,
    userId,
    ...(sessionId === undefined ? {} : { sessionId }),
    // A refresh token of simplejwt takes the place of generation -1.
    ...(generation === undefined || generation < 0 ? {} : { generation }),
  };
}

/** Returns the options of a refresh with the actor of the session that it refreshes. */
export function withActorOf<O extends RefreshOptions>(options: O, session: Pick<Session, "actor"> | undefined): O {
  return { ...options, client: withActor(options.client ?? {}, session?.actor ?? null) };
}

/** What an event says about a genuine token. A refresh token of simplejwt that isn't redeemed has no session. */
type ReportedClaims = Pick<RefreshClaims, "userId"> & Partial<Pick<RefreshClaims, "sessionId" | "generation">>;

/**
 * Emits the event about a refusal for which no transaction was needed.
 *
 * @param presented the token's claims, or `null` if the token was not genuine.
 */
export function reportRefusal(
  deps: Deps,
  presented: ReportedClaims | null,
  error: AuthError,
  options: RefreshOptions,
): void {
  const report = { outcome: "refused", time: deps.clock.now(), reason: error.reason } as const;
  deps.emit(toRefreshEvent(presented, report, options));
}

/** Returns the user agent and the IP address of the client, in the form in which the session's row stores them. */
export function toRowClient({ client }: RefreshOptions): { userAgent: string | null; ip: string | null } {
  return { userAgent: client?.userAgent ?? null, ip: client?.ip ?? null };
}
