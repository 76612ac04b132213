import { AuthError, type AuthErrorCode } from "../core/errors.ts";
import type { Settings } from "../core/settings/settings.ts";

/** The JSON of a token whose signature is genuine. */
export type Payload = Readonly<Record<string, unknown>>;

/** What a token need not keep. */
export interface ClaimAllowances {
  /** Whether `exp` may be in the past. Default: false. */
  readonly mayBeExpired?: boolean;
  /** Whether `iss` and `aud` may be missing although they are configured. Default: false. */
  readonly mayLackIssuer?: boolean;
}

/**
 * Checks the registered claims of a genuine token (RFC 7519 §4.1), in the order of simplejwt. `iat` and `nbf`, if present,
 * must not be further in the future than `clockTolerance`, and `exp` not further in the past than `leeway`. Then `iss` and
 * `aud`: their form if present, and their value if configured.
 *
 * @param now whole seconds since the epoch.
 * @throws AuthError `token_invalid` or `token_expired`
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

/** Requires the claim `name`. @throws AuthError `code` if it is missing. */
export function requireClaim(payload: Payload, name: string, code: AuthErrorCode): void {
  if (payload[name] === undefined) throw new AuthError(code, `token has no ${name}`);
}

/**
 * Returns the time in the claim `name`, whole seconds since the epoch, or `undefined` if it is missing.
 *
 * @throws AuthError `token_invalid` if it is not a whole number from 0.
 */
export function readTime(payload: Payload, name: string): number | undefined {
  const value = payload[name];
  return value === undefined ? undefined : toCount(value, name, Number.MAX_SAFE_INTEGER);
}

/** Returns the claim `name`. @throws AuthError `token_invalid` if it is not a whole number from 0 to `max`. */
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
 * @throws AuthError `token_invalid` if it is not a string, is empty, or has NUL or a lone surrogate, which no database can
 * store.
 */
export function readString(payload: Payload, name: string): string {
  const value = payload[name];
  if (typeof value !== "string" || value === "" || /\0|\p{Surrogate}/u.test(value)) {
    throw invalid(`${name} is not a text`);
  }
  return value;
}

/** Returns the error for an invalid claim. `reason` must name the claim and not hold its value. */
export function invalid(reason: string): AuthError {
  return new AuthError("token_invalid", reason);
}

/** Returns the audiences of `aud`: it is one, or a list of them (RFC 7519 §4.1.3). @throws AuthError `token_invalid` */
function readAudiences({ aud }: Payload): readonly string[] {
  if (aud === undefined) return [];
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audiences.every((audience) => typeof audience === "string")) return audiences;
  throw invalid("aud is neither a string nor a list of strings");
}
