import { createHmac } from "node:crypto";
import type { Session } from "../../core/session.ts";
import { isSameText } from "../../crypto/same-text.ts";
import type { HttpDeps } from "../endpoint.ts";

/**
 * A CSRF token of a session or, with `null`, of a browser without one: `random.HMAC-SHA-256(key, session ‖ random)`,
 * both parts in base64url. Nobody without the key can make one, and none serves another session.
 */
export function createCsrfToken(csrfKey: Uint8Array, sessionId: string | null, random: HttpDeps["random"]): string {
  return sign(csrfKey, sessionId, Buffer.from(random(16)).toString("base64url"));
}

/**
 * The CSRF token of one generation of a session: the same whenever it is asked for, another after the next rotation.
 * So a browser's script can tell, without seeing a token, with which refresh cookie its next request goes out.
 */
export function createCsrfTokenOf(csrfKey: Uint8Array, { id, generation }: Pick<Session, "id" | "generation">): string {
  return createCsrfToken(csrfKey, id, (size) =>
    createHmac("sha256", csrfKey)
      .update(JSON.stringify([id, generation]))
      .digest()
      .subarray(0, size),
  );
}

/** Whether `token` was made for exactly this session or, with `null`, for none. Constant time. */
export function isCsrfToken(csrfKey: Uint8Array, token: string, sessionId: string | null): boolean {
  const [random = ""] = token.split(".", 1);
  return isSameText(token, sign(csrfKey, sessionId, random));
}

function sign(csrfKey: Uint8Array, sessionId: string | null, random: string): string {
  // JSON keeps the two apart, and no session apart from every session.
  const message = JSON.stringify([sessionId, random]);
  return `${random}.${createHmac("sha256", csrfKey).update(message).digest("base64url")}`;
}
