import { isUtf8 } from "node:buffer";
import { AuthError } from "../core/errors.ts";
import { parseBase64url, toBase64url } from "./base64url.ts";
import { type KeySet, type SigningKey, toProtectedHeader } from "./signing-key.ts";
import { parseJsonObject } from "./strict-json.ts";

/** The longest token that is accepted, in characters. */
const maxTokenLength = 8_192;

/**
 * Header parameters that would change what is verified or where the key comes from (RFC 7515 §4.1, RFC 7797 §3). `crit` is
 * refused because no extension is supported.
 */
const refusedParameters = ["crit", "b64", "jku", "jwk", "x5u", "x5c"];

/**
 * Signs `payload` as a compact JWS (RFC 7515 §7.1) with the header `{alg, typ, kid}`.
 *
 * @throws TypeError if the token would be longer than the 8 KiB that `verifyCompact` accepts.
 */
export function signCompact(payload: Readonly<Record<string, unknown>>, key: SigningKey, typ = "JWT"): string {
  const header = typ === "JWT" ? key.header : toProtectedHeader(key.algorithm, typ, key.kid);
  const signingInput = `${header}.${toBase64url(Buffer.from(JSON.stringify(payload)))}`;
  const token = `${signingInput}.${key.sign(signingInput)}`;
  if (token.length > maxTokenLength) throw new TypeError("claims: the token would be longer than 8 KiB");
  return token;
}

/**
 * Verifies a compact JWS, as `verifySignature` does. The payload must be one JSON object without duplicate members.
 *
 * @returns the payload.
 * @throws AuthError `token_invalid`
 */
export function verifyCompact(token: string, keys: KeySet): Record<string, unknown> {
  return parseJsonObject(verifySignature(token, keys), "payload");
}

/**
 * Verifies a compact JWS (RFC 7515 §5.2). It must have at most 8 KiB, exactly three non-empty parts in canonical base64url,
 * a header and a payload in valid UTF-8, and the signature of one of `keys`. The header must name that key with the key's
 * own algorithm, must have no refused parameter, and its `typ`, if present, must be JWT.
 *
 * @returns the payload's text.
 * @throws AuthError `token_invalid`
 */
export function verifySignature(token: string, keys: KeySet): string {
  if (token.length > maxTokenLength) throw refusal("token is longer than 8 KiB");
  const headerEnd = token.indexOf(".");
  const payloadEnd = token.indexOf(".", headerEnd + 1);
  if (headerEnd < 1 || payloadEnd < headerEnd + 2) throw refusal("token does not have three parts");

  const key = findKey(token.slice(0, headerEnd), keys);
  const payload = parseText(token.slice(headerEnd + 1, payloadEnd), "payload");
  // With a missing, empty or fourth part, this is not a signature.
  if (!key.verify(token.slice(0, payloadEnd), token.slice(payloadEnd + 1))) throw refusal("signature does not match");
  return payload;
}

function findKey(segment: string, keys: KeySet): SigningKey {
  // Nearly every header is the one that the current key writes.
  if (segment === keys.current.header) return keys.current;

  const header = parseJsonObject(parseText(segment, "header"), "header");
  const refused = refusedParameters.find((name) => Object.hasOwn(header, name));
  if (refused !== undefined) throw refusal(`header has ${refused}`);
  if (!isJwtType(header["typ"])) throw refusal("typ in the header is not JWT");
  const key = keys.find(header);
  if (key === null) throw refusal("no key has the kid and alg in the header");
  return key;
}

/** Returns whether `typ` is missing or JWT, in any case of its letters (RFC 7519 §5.1). */
function isJwtType(typ: unknown): boolean {
  return typ === undefined || (typeof typ === "string" && typ.toUpperCase() === "JWT");
}

function parseText(segment: string, what: "header" | "payload"): string {
  const bytes = parseBase64url(segment);
  if (bytes === null) throw refusal(`${what} is not canonical base64url`);
  if (!isUtf8(bytes)) throw refusal(`${what} is not UTF-8`);
  return bytes.toString();
}

function refusal(reason: string): AuthError {
  return new AuthError("token_invalid", reason);
}
