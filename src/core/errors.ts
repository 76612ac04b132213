import type { AuthenticationRequirement } from "./authentication.ts";
import type { RevokeReason } from "./session.ts";

/**
 * Why tokenpair refused a request. `http/response/errors.ts` has a status, a challenge and a text for each code.
 *
 * Codes that start with `token_` are about one presented token. `token_revoked` means that the token was spent by a
 * rotation, or revoked, or logged out (simplejwt's "blacklisted").
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
  | "second_factor_required"
  | "second_factor_invalid"
  | "ticket_invalid"
  | "wrong_password"
  | "password_refused"
  | "username_taken"
  | "username_invalid"
  | "email_invalid"
  | "throttled"
  | "unavailable";

/** What a client needs to do the second step of a login. */
export interface SecondFactorRequest {
  /** Identifies the login, once. Give it to the client alone; never log it. */
  readonly ticket: string;
  /** How the second step can be done, as your `afterPassword` says. */
  readonly methods: readonly string[];
  /** Seconds until the ticket expires. */
  readonly expiresIn: number;
}

/** A refusal. Branch on `code`. The message, `code` and `reason` never hold a token, secret, password or hash. */
export class AuthError extends Error {
  override readonly name = "AuthError";
  /** Why the request was refused. */
  readonly code: AuthErrorCode;
  /**
   * What exactly was wrong. It is meant for your logs, not for the client. With the codes `password_refused`, `username_taken`,
   * `username_invalid` and `email_invalid`, it is a sentence for the user.
   */
  readonly reason: string;
  /**
   * Whether it is certain that the presented session can never yield tokens again, and that no newer session of the same
   * browser has replaced it. Delete its cookies only if this is true.
   */
  readonly sessionEnded: boolean;
  /** The number of seconds to wait before the next attempt. Present only with the code `throttled`. */
  readonly retryAfter: number | undefined;
  /** What the user's authentication must be. Only with `confirmation_required`. */
  readonly requirement: AuthenticationRequirement | undefined;
  /** Why the session was revoked, if the node knows it. Only with `token_revoked`, as the reason of a signal. */
  readonly revokeReason: RevokeReason | undefined;
  /** Private, so that an error that is logged doesn't show the ticket. */
  readonly #secondFactor: SecondFactorRequest | undefined;

  /**
   * Creates the error.
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
      revokeReason?: RevokeReason | undefined;
      secondFactor?: SecondFactorRequest;
      cause?: unknown;
    } = {},
  ) {
    super(`${code}: ${reason}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reason = reason;
    this.sessionEnded = options.sessionEnded ?? false;
    this.retryAfter = options.retryAfter;
    this.requirement = options.requirement;
    this.revokeReason = options.revokeReason;
    this.#secondFactor = options.secondFactor;
  }

  /** What the client needs for the second step. Only with `second_factor_required`. */
  get secondFactor(): SecondFactorRequest | undefined {
    return this.#secondFactor;
  }
}

/**
 * Returns whether the error refuses the request itself. `unavailable` doesn't: it says that the answer isn't known, so the same
 * request may succeed later.
 */
export function isRefusal(error: unknown): error is AuthError {
  return error instanceof AuthError && error.code !== "unavailable";
}

/** Returns the code of a system error or a driver's error, such as `"ENOENT"`. `undefined` if the error has none. */
export function toErrorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/**
 * Thrown by a store if the database can't answer because it is locked for too long, full, or unreachable. The failed call
 * has changed nothing, with one exception: if the connection broke after its COMMIT was sent, the change may have been
 * made. A refresh can be repeated with its idempotency key. Routes answer 503.
 */
export class StoreUnavailableError extends Error {
  override readonly name = "StoreUnavailableError";
}

/**
 * Returns a text about an error that contains no stored value: the message of a `StoreUnavailableError`, or the name of any
 * other error.
 */
export function toUnavailableReason(error: unknown): string {
  if (error instanceof StoreUnavailableError) return error.message;
  return error instanceof Error ? error.name : typeof error;
}

/**
 * Thrown by a store if its schema doesn't have the version that this release of tokenpair needs. The message says what to
 * do.
 */
export class SchemaVersionError extends Error {
  override readonly name = "SchemaVersionError";
  /**
   * Whether the schema belongs to a later version. A running node can continue with it, but a new node should not start.
   */
  readonly isNewer: boolean;

  /** Creates the error. `isNewer` is false by default. */
  constructor(message: string, { isNewer = false, ...options }: ErrorOptions & { readonly isNewer?: boolean } = {}) {
    super(message, options);
    this.isNewer = isNewer;
  }
}
