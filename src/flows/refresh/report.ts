import type { RefreshClaims, TokenPair } from "../../core/claims.ts";
import type { ClientInfo } from "../../core/client-info.ts";
import type { AuthError } from "../../core/errors.ts";
import type { Session } from "../../core/session.ts";
import type { RefreshEvent, RefreshOutcome } from "../../events/events.ts";
import type { Deps } from "../deps.ts";

/** How to refresh. */
export interface RefreshOptions {
  /** The client's `Idempotency-Key`: made before the first try, repeated with every retry. */
  readonly idempotencyKey?: string | undefined;
  /** Who sent the request. */
  readonly client?: ClientInfo;
}

/** A session that was refreshed. */
export interface Refreshed {
  readonly outcome: "rotated" | "replayed" | "not_rotated";
  readonly session: Session;
  /** Without `refresh` if `rotateRefreshTokens` is false: the presented token stays valid. */
  readonly pair: Omit<TokenPair, "refresh"> & { readonly refresh?: string };
}

/** A refresh that returned no tokens. */
export interface Refusal {
  readonly outcome: Extract<RefreshOutcome, "refused" | "reuse_detected" | "state_lost">;
  readonly error: AuthError;
}

/** The result of a refresh, for its event. */
interface Report {
  readonly outcome: RefreshOutcome;
  /** Whole seconds since the epoch. */
  readonly now: number;
  readonly reason?: string | undefined;
}

/** Returns the event about a refresh. `presented` is `null` if the token was not genuine. */
export function toRefreshEvent(
  presented: RefreshClaims | null,
  { outcome, now, reason }: Report,
  { client = {} }: RefreshOptions,
): RefreshEvent {
  const { userId, sessionId, generation } = presented ?? {};
  const subject = userId === undefined ? {} : { userId, sessionId, generation };
  return {
    type: "refresh",
    time: now,
    outcome,
    client,
    ...subject,
    ...(reason === undefined ? {} : { reason }),
  } as RefreshEvent;
}

/** Reports a refusal that needed no transaction. @returns its error, to be thrown. */
export function reportRefused(
  deps: Deps,
  presented: RefreshClaims | null,
  error: AuthError,
  options: RefreshOptions,
): AuthError {
  const report = { outcome: "refused", now: deps.clock.now(), reason: error.reason } as const;
  deps.emit(toRefreshEvent(presented, report, options));
  return error;
}

/** Returns who refreshes, as the session's row stores it. */
export function toRowClient({ client }: RefreshOptions): { userAgent: string | null; ip: string | null } {
  return { userAgent: client?.userAgent ?? null, ip: client?.ip ?? null };
}
