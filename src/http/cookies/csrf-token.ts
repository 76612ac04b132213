import { createHmac } from "node:crypto";
import type { Random } from "../../core/runtime/random.ts";
import type { Session } from "../../core/session.ts";
import { isSameText } from "../../crypto/same-text.ts";

/**
 * Creates a CSRF token: a letter, followed by `random.HMAC-SHA-256(key, session ‖ letter ‖ random)`, both parts in
 * base64url. Only the holder of the key can create one, and a token is valid only for its own session. The letter is `s`
 * for a session and `n` for no session, so that scripts know whether there is a session. Tokens of version 0.1 have no
 * letter, so they have one character less before the dot. Both versions accept each other's tokens.
 *
 * @param sessionId the session's id, or `null` for a browser without a session.
 */
export function createCsrfToken(csrfKey: Uint8Array, sessionId: string | null, random: Random): string {
  const letter = sessionId === null ? "n" : "s";
  return sign(csrfKey, sessionId, letter + Buffer.from(random(16)).toString("base64url"));
}

/**
 * Returns the CSRF token of one generation of a session. It is always the same for a generation, and different after the
 * next rotation. So if a script sees that the CSRF cookie has changed, it knows that the refresh cookie, which it can't
 * see, has changed too.
 */
export function deriveCsrfToken(csrfKey: Uint8Array, { id, generation }: Pick<Session, "id" | "generation">): string {
  return createCsrfToken(csrfKey, id, (size) =>
    createHmac("sha256", csrfKey)
      .update(JSON.stringify([id, generation]))
      .digest()
      .subarray(0, size),
  );
}

/**
 * Returns whether `token` was created for this session. With `null`, returns whether it was created for a browser without a
 * session. Compares in constant time.
 */
export function isCsrfToken(csrfKey: Uint8Array, token: string, sessionId: string | null): boolean {
  const [signed = ""] = token.split(".", 1);
  return isSameText(token, sign(csrfKey, sessionId, signed));
}

/** Does the same as `isCsrfToken`, for a token that may have been created with any of several keys. */
export function isAcceptedCsrfToken(
  { csrfKeys }: { readonly csrfKeys: readonly Uint8Array[] },
  token: string,
  sessionId: string | null,
): boolean {
  return csrfKeys.some((csrfKey) => isCsrfToken(csrfKey, token, sessionId));
}

function sign(csrfKey: Uint8Array, sessionId: string | null, signed: string): string {
  // JSON separates the two parts, and `null` from every session id.
  const message = JSON.stringify([sessionId, signed]);
  return `${signed}.${createHmac("sha256", csrfKey).update(message).digest("base64url")}`;
}
