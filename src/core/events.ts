import type { AuthErrorCode } from "./errors.ts";
import type { RevokeReason } from "./session.ts";

/** Where a request came from, as far as the caller knows. */
export interface RequestOrigin {
  readonly ip?: string | undefined;
  readonly userAgent?: string | undefined;
}

/** How a refresh ended. */
export type RefreshOutcome = "rotated" | "replayed" | "renewed" | "theft" | "state_lost" | "refused";

/** What happened, for logs, metrics and audit. Never holds a token, secret, password or hash. */
export type AuthEvent =
  | { readonly type: "login"; readonly userId: string; readonly sessionId: string; readonly origin: RequestOrigin }
  | {
      readonly type: "login_failed";
      readonly code: AuthErrorCode;
      readonly reason: string;
      readonly origin: RequestOrigin;
    }
  | {
      readonly type: "refresh";
      readonly outcome: RefreshOutcome;
      readonly userId?: string;
      readonly sessionId?: string;
      readonly generation?: number;
      readonly reason?: string;
      readonly origin: RequestOrigin;
    }
  | {
      readonly type: "sessions_ended";
      readonly userId?: string;
      readonly sessionId?: string;
      readonly reason: RevokeReason;
    }
  | { readonly type: "user_changed"; readonly userId: string; readonly change: UserChange }
  | { readonly type: "feed_stale"; readonly staleSeconds: number; readonly reason: string }
  | { readonly type: "feed_recovered" };

export type UserChange = "created" | "disabled" | "enabled" | "password_changed" | "deleted";

/** Receives every event, in order, synchronously. Must not throw; what it throws is swallowed. */
export type EventListener = (event: AuthEvent) => void;
