import type { AuthenticationRequirement } from "../../core/authentication.ts";
import type { AuthError, AuthErrorCode } from "../../core/errors.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { toJsonResponse } from "./json.ts";

/** How an endpoint words its errors: like simplejwt's token endpoints, or like its protected resources. */
export type ErrorStyle = "token" | "resource";

/** The response to an error. */
interface ErrorResponse {
  readonly status: number;
  /** Returns the body. It contains the error's private `reason` only if the HTTP contract says so for this code. */
  readonly body: (error: AuthError) => Readonly<Record<string, unknown>>;
  /** Whether the challenge of a 401 says that the token is invalid (RFC 6750 §3.1). Default: false. */
  readonly tokenPresented?: boolean;
  /** The challenge of a 401. Default: the challenge for tokens. */
  readonly challenge?: string;
}

/** The challenge for a service without a valid credential (RFC 7617 §2). */
const serviceChallenge = 'Basic realm="services"';

/** The number of seconds after which a client should try again after a 503. */
const unavailableRetryAfter = "1";

const notValid = "token_not_valid";

const tokenErrors: Readonly<Record<AuthErrorCode, ErrorResponse>> = {
  no_active_account: unauthorized("No active account found with the given credentials", "no_active_account"),
  not_authenticated: unauthorized("Authentication credentials were not provided.", "not_authenticated"),
  bad_authorization_header: unauthorized(
    "Authorization header must contain two space-delimited values",
    "bad_authorization_header",
  ),
  token_invalid: tokenRefused("Token is invalid", notValid),
  token_expired: tokenRefused("Token is expired", notValid),
  token_wrong_type: tokenRefused("Token has wrong type", notValid),
  token_revoked: tokenRefused("Token is blacklisted", notValid),
  token_without_exp: tokenRefused("Token has no 'exp' claim", notValid),
  token_without_type: tokenRefused("Token has no type", notValid),
  token_without_id: tokenRefused("Token has no id", notValid),
  token_without_user: tokenRefused("Token is invalid", notValid),
  token_user_inactive: tokenRefused("No active account found for the given token.", "no_active_account"),
  password_changed: tokenRefused("The user's password has been changed.", "password_changed"),
  user_not_found: tokenRefused("User not found", "user_not_found"),
  user_inactive: tokenRefused("User is inactive", "user_inactive"),
  bad_idempotency_key: refused(400, "Idempotency-Key is not valid.", "bad_idempotency_key"),
  csrf_failed: { status: 403, body: ({ reason }) => ({ detail: `CSRF Failed: ${reason}`, code: "csrf_failed" }) },
  invalid_client: {
    ...unauthorized("Service credential is missing or invalid.", "invalid_client"),
    challenge: serviceChallenge,
  },
  insufficient_scope: refused(403, "The service lacks the required scope.", "insufficient_scope"),
  session_not_found: refused(404, "Not found.", "not_found"),
  confirmation_required: {
    status: 401,
    body: ({ requirement: { maxAge, amr } = {} }) => ({
      detail: "Confirm that it is you, and try again.",
      code: "confirmation_required",
      max_age: maxAge,
      amr,
    }),
  },
  second_factor_required: {
    status: 401,
    body: ({ secondFactor }) => ({
      detail: "A second step is required.",
      code: "second_factor_required",
      ticket: secondFactor?.ticket,
      methods: secondFactor?.methods,
      expires_in: secondFactor?.expiresIn,
    }),
  },
  second_factor_invalid: refused(400, "The second step failed.", "second_factor_invalid"),
  ticket_invalid: unauthorized("The login has expired. Log in again.", "ticket_invalid"),
  impersonated: refused(403, "Not allowed while you act for the user.", "impersonated"),
  wrong_password: { status: 400, body: () => ({ current_password: ["Invalid password."] }) },
  password_refused: fieldRefused("new_password"),
  username_taken: fieldRefused("username"),
  username_invalid: fieldRefused("username"),
  email_invalid: fieldRefused("email"),
  throttled: {
    status: 429,
    body: ({ reason, retryAfter }) => ({
      detail: `Too many ${reason}. Try again in ${retryAfter} seconds.`,
      code: "throttled",
    }),
  },
  unavailable: refused(503, "Service temporarily unavailable.", "unavailable"),
};

const resourceErrors: Readonly<Record<AuthErrorCode, ErrorResponse>> = {
  ...tokenErrors,
  token_invalid: notValidForAnyType("Token is invalid"),
  token_expired: notValidForAnyType("Token is expired"),
  token_wrong_type: notValidForAnyType("Token has wrong type"),
  token_revoked: notValidForAnyType("Token is blacklisted"),
  token_without_exp: notValidForAnyType("Token has no 'exp' claim"),
  token_without_type: notValidForAnyType("Token has no type"),
  token_without_id: notValidForAnyType("Token has no id"),
  token_without_user: tokenRefused("Token contained no recognizable user identification", notValid),
};

const errors: Readonly<Record<ErrorStyle, Readonly<Record<AuthErrorCode, ErrorResponse>>>> = {
  token: tokenErrors,
  resource: resourceErrors,
};

/**
 * The header that says that the client's session has ended. It is sent only with the 401 to a refresh token, because a
 * refused access token proves nothing about its session.
 */
export const sessionEndedHeader = Object.freeze({ "Session-Ended": "true" });

/**
 * Returns the response to an error: the status, the body, and the challenge or `Retry-After` header that the status
 * requires. If the error proves that the session of a refresh token has ended, it also has `Session-Ended`.
 */
export function toErrorResponse(
  error: AuthError,
  style: ErrorStyle,
  settings: Pick<Settings, "authHeaderTypes">,
): Response {
  const { status, body, tokenPresented = false, challenge } = errors[style][error.code];
  const fault = error.requirement === undefined ? toTokenFault(tokenPresented) : toConfirmationFault(error.requirement);
  return toJsonResponse(status, body(error), {
    ...(status === 401 ? { "WWW-Authenticate": challenge ?? toChallenge(fault, settings) } : {}),
    ...(status === 401 && style === "token" && error.sessionEnded ? sessionEndedHeader : {}),
    ...(status === 503 ? { "Retry-After": unavailableRetryAfter } : {}),
    ...(status === 429 ? { "Retry-After": String(error.retryAfter) } : {}),
  });
}

/**
 * Returns the challenge (RFC 6750 §3), with the first of the configured schemes.
 *
 * @param fault what is wrong with the token, as further parameters; empty if there is no token.
 */
export function toChallenge(fault: string, { authHeaderTypes }: Pick<Settings, "authHeaderTypes">): string {
  return `${authHeaderTypes[0]} realm="api"${fault}`;
}

/** Returns what a challenge says about a token that was presented. */
function toTokenFault(tokenPresented: boolean): string {
  return tokenPresented ? ', error="invalid_token"' : "";
}

/** Returns what a challenge says about a user who must be authenticated again (RFC 9470 §3). It has no parameter for `amr`. */
function toConfirmationFault({ maxAge, amr }: AuthenticationRequirement): string {
  const description =
    amr === undefined ? "More recent authentication is required" : "A different authentication level is required";
  const age = maxAge === undefined ? "" : `, max_age="${maxAge}"`;
  return `, error="insufficient_user_authentication", error_description="${description}"${age}`;
}

function refused(status: number, detail: string, code: string): ErrorResponse {
  return { status, body: () => ({ detail, code }) };
}

/** Returns a 400 with one message about the field: the error's `reason`, which is a sentence for the user. */
function fieldRefused(field: string): ErrorResponse {
  return { status: 400, body: ({ reason }) => ({ [field]: [reason] }) };
}

function unauthorized(detail: string, code: string): ErrorResponse {
  return refused(401, detail, code);
}

function tokenRefused(detail: string, code: string): ErrorResponse {
  return { ...unauthorized(detail, code), tokenPresented: true };
}

function notValidForAnyType(message: string): ErrorResponse {
  const body = {
    detail: "Given token not valid for any token type",
    code: notValid,
    messages: [{ token_class: "AccessToken", token_type: "access", message }],
  };
  return { status: 401, body: () => body, tokenPresented: true };
}
