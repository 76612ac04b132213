import type { RefreshClaims, TokenPair } from "../core/claims.ts";
import type { AuthError } from "../core/errors.ts";
import type { RefreshEvent, RefreshOutcome, RequestOrigin } from "../core/events.ts";
import type { Session } from "../core/session.ts";
import type { Deps } from "./deps.ts";

export interface RefreshOptions {
  /** The client's `Idempotency-Key`: made before the first try, repeated on every retry. */
  readonly attemptId?: string | undefined;
  readonly origin?: RequestOrigin;
  /** A check of the caller's own on a genuine token's session, before anything is asked or changed; refuses by throwing. */
  readonly requireSession?: (sessionId: string) => void;
}

export interface Refreshed {
  readonly outcome: "rotated" | "replayed" | "renewed";
  readonly session: Session;
  /** With `rotateRefreshTokens: false` there is no new refresh token: the presented one goes on. */
  readonly pair: Omit<TokenPair, "refresh"> & { readonly refresh?: string };
}

/** A refresh that gives no tokens. */
export interface Refusal {
  readonly outcome: Extract<RefreshOutcome, "refused" | "theft" | "state_lost">;
  readonly error: AuthError;
  /** The store's time, where it was asked. */
  readonly now?: number | undefined;
}

/** Reports a refusal and throws it. `presented` is `null` where the token was not genuine. */
export function refuse(
  deps: Deps,
  presented: RefreshClaims | null,
  { outcome, error, now = deps.clock.now() }: Refusal,
  options: RefreshOptions,
): never {
  report(deps, presented, { outcome, now, reason: error.reason }, options);
  throw error;
}

/** How a refresh ended. */
interface Report {
  readonly outcome: RefreshOutcome;
  readonly now: number;
  readonly reason?: string;
}

/** Tells the listeners how a refresh ended. */
export function report(
  deps: Deps,
  presented: RefreshClaims | null,
  how: Report,
  options: Pick<RefreshOptions, "origin">,
): void {
  deps.emit(toRefreshEvent(presented, how, options));
}

/** The event of how a refresh ended. */
export function toRefreshEvent(
  presented: RefreshClaims | null,
  { outcome, now, reason }: Report,
  { origin = {} }: Pick<RefreshOptions, "origin">,
): RefreshEvent {
  const subject =
    presented === null
      ? {}
      : { userId: presented.userId, sessionId: presented.sessionId, generation: presented.generation };
  const why = reason === undefined ? {} : { reason };
  return { type: "refresh", time: now, outcome, origin, ...subject, ...why };
}

/** Where the refresh came from, as the session's row keeps it. */
export function toRowOrigin({ origin }: RefreshOptions): { userAgent: string | null; ip: string | null } {
  return { userAgent: origin?.userAgent ?? null, ip: origin?.ip ?? null };
}
