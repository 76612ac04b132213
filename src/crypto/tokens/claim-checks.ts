import { AuthError, type AuthErrorCode } from "../../core/errors.ts";
import type { Settings } from "../../core/settings/settings.ts";

/** The JSON content of a token with a genuine signature. */
export type Payload = Readonly<Record<string, unknown>>;

/** The checks that may be skipped. */
export interface ClaimAllowances {
  /** Whether `exp` may be in the past. Default: false. */
  readonly mayBeExpired?: boolean;
  /** Whether `iss` and `aud` may be missing even if they are configured. Default: false. */
  readonly mayLackIssuer?: boolean;
}

/**
 * Checks the registered claims of a genuine token (RFC 7519 §4.1), in the same order as simplejwt. `iat` and `nbf`, if
 * present, must not be further in the future than `clockTolerance`. `exp` must not be further in the past than `leeway`.
 * `iss` and `aud` must have the correct form if they are present, and the correct value if they are configured.
 *
 * @param now the current time, in whole seconds since the epoch.
 * @throws AuthError `token_invalid` or `token_expired`.
 */
export function checkRegisteredClaims(
  payload: Payload,
  now: number,
  settings: Pick<Settings, "leeway" | "clockTolerance" | "issuer" | "audience">,
  { mayBeExpired = false, mayLackIssuer = false }: ClaimAllowances = {},
): void {
  const issuedAt = readTime(payload, "iat");
  const notBefore = readTime(payload, "nbf");
  const expiresAt = readTime(payload, "exp");
  if (issuedAt !== undefined && issuedAt > now + settings.clockTolerance) throw invalid("iat is in the future");
  if (notBefore !== undefined && notBefore > now + settings.clockTolerance) throw invalid("nbf is in the future");
  if (!mayBeExpired && expiresAt !== undefined && now >= expiresAt + settings.leeway) {
    throw new AuthError("token_expired", "exp is in the past");
  }
  const { iss, aud } = payload;
  const audiences = readAudiences(payload);
  if (iss !== undefined && typeof iss !== "string") throw invalid("iss is not a string");
  if (settings.issuer !== undefined && iss !== settings.issuer && !(mayLackIssuer && iss === undefined)) {
    throw invalid("iss is not the configured issuer");
  }
  if (
    settings.audience !== undefined &&
    !audiences.includes(settings.audience) &&
    !(mayLackIssuer && aud === undefined)
  ) {
    throw invalid("aud is not the configured audience");
  }
}

/**
 * Requires that the claim `name` is present.
 *
 * @throws AuthError with the code `code` if it is missing.
 */
export function requireClaim(payload: Payload, name: string, code: AuthErrorCode): void {
  if (payload[name] === undefined) throw new AuthError(code, `token has no ${name}`);
}

/**
 * Returns the time in the claim `name`, in whole seconds since the epoch. Returns `undefined` if the claim is missing.
 *
 * @throws AuthError `token_invalid` if it is not a whole number or is negative.
 */
export function readTime(payload: Payload, name: string): number | undefined {
  const value = payload[name];
  return value === undefined ? undefined : toCount(value, name, Number.MAX_SAFE_INTEGER);
}

/**
 * Returns the claim `name`.
 *
 * @throws AuthError `token_invalid` if it is not a whole number from 0 to `max`.
 */
export function readCount(payload: Payload, name: string, max = Number.MAX_SAFE_INTEGER): number {
  return toCount(payload[name], name, max);
}

function toCount(value: unknown, name: string, max: number): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > max) {
    throw invalid(`${name} is not a whole number in its range`);
  }
  return value;
}

/**
 * Returns the claim `name`.
 *
 * @throws AuthError `token_invalid` if it is not a string, if it is empty, or if it contains characters that databases
 * can't store: NUL or a lone surrogate.
 */
export function readString(payload: Payload, name: string): string {
  const value = payload[name];
  if (typeof value !== "string" || value === "" || /\0|\p{Surrogate}/u.test(value)) {
    throw invalid(`${name} is not a text`);
  }
  return value;
}

/** Returns the error for an invalid claim. `reason` must name the claim, but must not contain its value. */
export function invalid(reason: string): AuthError {
  return new AuthError("token_invalid", reason);
}

/**
 * Returns the audiences in `aud`, which can be one audience or a list (RFC 7519 §4.1.3).
 *
 * @throws AuthError `token_invalid`.
 */
function readAudiences({ aud }: Payload): readonly string[] {
  if (aud === undefined) return [];
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audiences.every((audience) => typeof audience === "string")) return audiences;
  throw invalid("aud is neither a string nor a list of strings");
}
