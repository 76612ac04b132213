import { createHmac } from "node:crypto";
import type { Random } from "../../core/runtime/random.ts";
import type { Session } from "../../core/session.ts";
import { isSameText } from "../../crypto/same-text.ts";

/**
 * Creates a CSRF token: a letter, then `random.HMAC-SHA-256(key, session ‖ letter ‖ random)`, both parts in base64url.
 * Only the holder of the key can make one, and a token is valid for its own session only. The letter is `s` for a
 * session and `n` for none: from `n`, scripts know that there is no session to ask for. Tokens of version 0.1 have no
 * letter, and so one character less before the dot. Either version accepts the tokens of the other.
 *
 * @param sessionId `null` for a browser that has no session yet.
 */
export function createCsrfToken(csrfKey: Uint8Array, sessionId: string | null, random: Random): string {
  const letter = sessionId === null ? "n" : "s";
  return sign(csrfKey, sessionId, letter + Buffer.from(random(16)).toString("base64url"));
}

/**
 * Returns the CSRF token of one generation of a session. It is always the same, and the next rotation has another. From
 * a change of the CSRF cookie a script can tell that the refresh cookie, which it can't see, has changed too.
 */
export function deriveCsrfToken(csrfKey: Uint8Array, { id, generation }: Pick<Session, "id" | "generation">): string {
  return createCsrfToken(csrfKey, id, (size) =>
    createHmac("sha256", csrfKey)
      .update(JSON.stringify([id, generation]))
      .digest()
      .subarray(0, size),
  );
}

/** Returns, in constant time, whether `token` was made for this session or, with `null`, for a browser without one. */
export function isCsrfToken(csrfKey: Uint8Array, token: string, sessionId: string | null): boolean {
  const [signed = ""] = token.split(".", 1);
  return isSameText(token, sign(csrfKey, sessionId, signed));
}

/** As `isCsrfToken`, for a token that one of several keys may have made. */
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
