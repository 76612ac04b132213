import type { AuthenticationRequirement } from "./authentication.ts";

/**
 * Every reason for which tokenpair refuses. `http/response/errors.ts` has a status, a challenge and a text for each.
 *
 * Codes that start with `token_` are about one presented token. `token_revoked` covers rotated away, revoked and logged
 * out (simplejwt's "blacklisted").
 */
export type AuthErrorCode =
  | "no_active_account"
  | "not_authenticated"
  | "bad_authorization_header"
  | "token_invalid"
  | "token_expired"
  | "token_wrong_type"
  | "token_revoked"
  | "token_without_exp"
  | "token_without_type"
  | "token_without_id"
  | "token_without_user"
  | "token_user_inactive"
  | "password_changed"
  | "user_not_found"
  | "user_inactive"
  | "bad_idempotency_key"
  | "csrf_failed"
  | "invalid_client"
  | "insufficient_scope"
  | "session_not_found"
  | "impersonated"
  | "confirmation_required"
  | "wrong_password"
  | "password_refused"
  | "username_taken"
  | "username_invalid"
  | "email_invalid"
  | "throttled"
  | "unavailable";

/** A refusal. Branch on `code`. The message, `code` and `reason` never hold a token, secret, password or hash. */
export class AuthError extends Error {
  override readonly name = "AuthError";
  /** Why the request was refused. */
  readonly code: AuthErrorCode;
  /** What exactly was wrong: for your logs, not for the client. */
  readonly reason: string;
  /**
   * Whether it is proved that the presented session can never yield tokens again, and that no newer session of the same
   * browser has replaced it. Only then may its cookies be deleted.
   */
  readonly sessionEnded: boolean;
  /** Seconds until the next try. Only with `throttled`. */
  readonly retryAfter: number | undefined;
  /** What the user's authentication must be. Only with `confirmation_required`. */
  readonly requirement: AuthenticationRequirement | undefined;

  /**
   * Creates a refusal.
   *
   * @param reason must not hold a token, secret, password or hash.
   */
  constructor(
    code: AuthErrorCode,
    reason: string,
    options: {
      sessionEnded?: boolean;
      retryAfter?: number;
      requirement?: AuthenticationRequirement;
      cause?: unknown;
    } = {},
  ) {
    super(`${code}: ${reason}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reason = reason;
    this.sessionEnded = options.sessionEnded ?? false;
    this.retryAfter = options.retryAfter;
    this.requirement = options.requirement;
  }
}

/**
 * Thrown by a store when the database can't answer: locked for too long, full, or unreachable. The call that threw has
 * changed nothing, unless the connection broke after its COMMIT was sent: then it may have. A refresh can be repeated
 * with its idempotency key. Routes answer 503.
 */
export class StoreUnavailableError extends Error {
  override readonly name = "StoreUnavailableError";
}

/** Returns the message of a StoreUnavailableError, which has no stored value, and only the name of any other error. */
export function toUnavailableReason(error: unknown): string {
  if (error instanceof StoreUnavailableError) return error.message;
  return error instanceof Error ? error.name : typeof error;
}

/**
 * Thrown by a store when its schema is not the one that this version of tokenpair needs. The message says what to do.
 */
export class SchemaVersionError extends Error {
  override readonly name = "SchemaVersionError";
  /** Whether the schema is a later version's. A running node can continue with it; a new node should not start. */
  readonly isNewer: boolean;

  /** Creates the error. `isNewer` is false by default. */
  constructor(message: string, { isNewer = false, ...options }: ErrorOptions & { readonly isNewer?: boolean } = {}) {
    super(message, options);
    this.isNewer = isNewer;
  }
}
