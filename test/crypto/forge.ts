import { createHmac } from "node:crypto";
import { AuthError, type AuthErrorCode } from "../../src/core/errors.ts";
import { createHmacKey } from "../../src/crypto/keys/hmac-key.ts";
import { createKeySet } from "../../src/crypto/keys/key-set.ts";

const secret = "a secret of 32 bytes or more, 123";
/** The key that signs the forged tokens. */
export const key = createHmacKey({ algorithm: "HS256", secret, kid: "k1" });
/** The set of that key alone. */
export const keys = createKeySet({ access: key });

/** A header that is accepted. */
export const goodHeader = { alg: "HS256", typ: "JWT", kid: "k1" };

const encode = (part: unknown) =>
  Buffer.from(part instanceof Uint8Array ? part : typeof part === "string" ? part : JSON.stringify(part)).toString(
    "base64url",
  );

/** Signs any text with the right secret, without the code under test. */
export function signText(signingInput: string): string {
  return `${signingInput}.${createHmac("sha256", secret).update(signingInput).digest("base64url")}`;
}

/** Returns a correctly signed token with any header and payload: objects, raw JSON text, or raw bytes. */
export function forge(payload: unknown, header: unknown = goodHeader): string {
  return signText(`${encode(header)}.${encode(payload)}`);
}

/** Returns the code of the AuthError that `action` throws; `undefined` if it doesn't throw. */
export function toCode(action: () => unknown): AuthErrorCode | undefined {
  return toRefusal(action)?.code;
}

/** Returns the AuthError that `action` throws; `undefined` if it doesn't throw. Rethrows other errors. */
export function toRefusal(action: () => unknown): AuthError | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof AuthError) return error;
    throw error;
  }
}
