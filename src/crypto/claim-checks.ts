import { AuthError, type AuthErrorCode } from "../core/errors.ts";
import type { Settings } from "../core/settings/settings.ts";

/** The JSON of a token whose signature is ours. */
export type Payload = Readonly<Record<string, unknown>>;

/**
 * Judges the registered claims of a genuine token at `now` (RFC 7519 §4.1), in the order of simplejwt: `iat` and `nbf`
 * not in the future, `exp` not in the past (unless that is allowed), each where present and within the leeway; then
 * `iss` and `aud` where configured.
 *
 * @throws AuthError `token_invalid` or `token_expired`
 */
export function checkRegisteredClaims(
  payload: Payload,
  now: number,
  settings: Pick<Settings, "leeway" | "issuer" | "audience">,
  mayBeExpired = false,
): void {
  const issuedAt = readTime(payload, "iat");
  const notBefore = readTime(payload, "nbf");
  const expiresAt = readTime(payload, "exp");
  if (issuedAt !== undefined && issuedAt > now + settings.leeway) throw invalid("iat is in the future");
  if (notBefore !== undefined && notBefore > now + settings.leeway) throw invalid("nbf is in the future");
  if (!mayBeExpired && expiresAt !== undefined && now >= expiresAt + settings.leeway) {
    throw new AuthError("token_expired", "exp is in the past");
  }
  if (settings.issuer !== undefined && payload["iss"] !== settings.issuer) throw invalid("iss is not ours");
  if (settings.audience !== undefined && !isAudience(payload["aud"], settings.audience)) {
    throw invalid("aud is not ours");
  }
}

/** @throws AuthError `code` where the claim `name` is missing. */
export function requireClaim(payload: Payload, name: string, code: AuthErrorCode): void {
  if (payload[name] === undefined) throw new AuthError(code, `token has no ${name}`);
}

/** The time in the claim `name`, whole seconds since the epoch, or `undefined`. @throws AuthError `token_invalid` */
export function readTime(payload: Payload, name: string): number | undefined {
  return payload[name] === undefined ? undefined : readCount(payload, name);
}

/** The claim `name`, a whole number from 0 to `max`. @throws AuthError `token_invalid` */
export function readCount(payload: Payload, name: string, max = Number.MAX_SAFE_INTEGER): number {
  const value = payload[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > max) {
    throw invalid(`${name} is not a whole number in its range`);
  }
  return value;
}

/** The claim `name`, a string that is not empty. @throws AuthError `token_invalid` */
export function readString(payload: Payload, name: string): string {
  const value = payload[name];
  if (typeof value !== "string" || value === "") throw invalid(`${name} is not a string`);
  return value;
}

/** A refusal of a claim of the wrong shape; `reason` names the claim and never holds its value. */
export function invalid(reason: string): AuthError {
  return new AuthError("token_invalid", reason);
}

/** RFC 7519 §4.1.3: one audience, or a list of them. */
function isAudience(claim: unknown, audience: string): boolean {
  return claim === audience || (Array.isArray(claim) && claim.includes(audience));
}
