/**
 * Every refusal tokenpair can give. `http/error-responses.ts` turns each into a status, a challenge and a text.
 *
 * Codes that start with `token_` are about one presented token; `token_revoked` covers rotated away, revoked and
 * logged out (simplejwt's "blacklisted").
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
  | "session_not_found"
  | "wrong_password"
  | "password_refused"
  | "username_taken"
  | "username_invalid"
  | "email_invalid"
  | "throttled"
  | "unavailable";

/**
 * The one error of tokenpair. Branch on `code`; `reason` is for your logs and never for the client. Neither ever holds
 * a token, secret, password or hash.
 */
export class AuthError extends Error {
  override readonly name = "AuthError";
  readonly code: AuthErrorCode;
  /** What exactly was wrong, for the operator. */
  readonly reason: string;
  /**
   * True where the server has proved that the presented session can never yield tokens again and that no newer one of the
   * same browser has taken its place: its cookies may go.
   */
  readonly sessionEnded: boolean;
  /** With `throttled`: seconds until the next try may be made. */
  readonly retryAfter: number | undefined;

  constructor(
    code: AuthErrorCode,
    reason: string,
    options: { sessionEnded?: boolean; retryAfter?: number; cause?: unknown } = {},
  ) {
    super(`${code}: ${reason}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reason = reason;
    this.sessionEnded = options.sessionEnded ?? false;
    this.retryAfter = options.retryAfter;
  }
}

/**
 * What a store throws when the database cannot answer: locked past the busy timeout, full, unreachable. Nothing was
 * changed by the call that threw, unless the connection broke before the answer to its commit arrived: then nobody knows,
 * and a refresh is repeated by its attempt id. Routes answer 503.
 */
export class StoreUnavailableError extends Error {
  override readonly name = "StoreUnavailableError";
}

/** What a store throws when its schema is not the one this version of tokenpair works with; the message says what to do. */
export class SchemaVersionError extends Error {
  override readonly name = "SchemaVersionError";
  /** The schema is a later version's. A node that runs already can go on with it; one that starts should not. */
  readonly isNewer: boolean;

  constructor(message: string, { isNewer = false, ...options }: ErrorOptions & { readonly isNewer?: boolean } = {}) {
    super(message, options);
    this.isNewer = isNewer;
  }
}
