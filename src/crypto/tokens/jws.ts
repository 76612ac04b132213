import { isUtf8 } from "node:buffer";
import { AuthError } from "../../core/errors.ts";
import { parseBase64url, toBase64url } from "../base64url.ts";
import type { VerifyingKeys } from "../keys/key-set.ts";
import type { SigningKey, VerifyingKey } from "../keys/signing-key.ts";
import { parseJsonObject } from "../strict-json.ts";

/** The maximum length of a token that is accepted, in characters. */
const maxTokenLength = 8_192;

/**
 * The header parameters that are refused, because they would change what is verified or where the key comes from (RFC 7515
 * §4.1, RFC 7797 §3). `crit` is refused because no extension is supported.
 */
const refusedParameters = ["crit", "b64", "jku", "jwk", "x5u", "x5c"];

type Json = Readonly<Record<string, unknown>>;

/**
 * Signs `payload` as a compact JWS (RFC 7515 §7.1).
 *
 * @param header the protected header in base64url, which must name the key. Default: `{alg, typ: "JWT", kid}`.
 * @throws TypeError if the token would be longer than the 8 KiB that `verifyCompact` accepts.
 */
export function signCompact(payload: Json, key: SigningKey, header = key.header): string {
  const signingInput = toSigningInput(payload, key, header);
  return `${signingInput}.${key.sign(signingInput)}`;
}

/**
 * Returns the number of characters of the token that `signCompact` would return, without signing.
 *
 * @throws TypeError if the token would be longer than 8 KiB.
 */
export function measureCompact(payload: Json, key: SigningKey, header = key.header): number {
  return toSigningInput(payload, key, header).length + 1 + key.signatureLength;
}

function toSigningInput(payload: Json, { signatureLength }: SigningKey, header: string): string {
  const signingInput = `${header}.${toBase64url(Buffer.from(JSON.stringify(payload)))}`;
  if (signingInput.length + 1 + signatureLength > maxTokenLength) {
    throw new TypeError("claims: the token would be longer than 8 KiB");
  }
  return signingInput;
}

/** The key that signed a token, and the `typ` in the token's header. */
interface Signed {
  readonly key: VerifyingKey;
  readonly typ: "JWT" | "at+jwt";
}

/** A JWS with a genuine signature. */
export interface VerifiedJws<P> extends Signed {
  readonly payload: P;
}

/**
 * Verifies a compact JWS like `verifySignature`. The payload must also be a JSON object without duplicate members.
 *
 * @throws AuthError `token_invalid` if the token is not genuine.
 */
export function verifyCompact(
  token: string,
  keys: VerifyingKeys,
  accessHeader?: string,
): VerifiedJws<Record<string, unknown>> {
  const { payload, key, typ } = verifySignature(token, keys, accessHeader);
  return { payload: parseJsonObject(payload, "payload"), key, typ };
}

/**
 * Verifies a compact JWS (RFC 7515 §5.2). The token must have at most 8 KiB, exactly three non-empty parts in canonical
 * base64url, a header and a payload in valid UTF-8, and a signature by one of `keys`. The header must name that key and the
 * key's own algorithm. It must not have a refused parameter. Its `typ`, if present, must be JWT.
 *
 * @param accessHeader the header with `typ: "at+jwt"` that this installation writes into access tokens. If it is given,
 * that type is accepted too.
 * @returns the text of the payload.
 * @throws AuthError `token_invalid` if the token is not genuine.
 */
export function verifySignature(token: string, keys: VerifyingKeys, accessHeader?: string): VerifiedJws<string> {
  if (token.length > maxTokenLength) throw refusal("token is longer than 8 KiB");
  const headerEnd = token.indexOf(".");
  const payloadEnd = token.indexOf(".", headerEnd + 1);
  if (headerEnd < 1 || payloadEnd < headerEnd + 2) throw refusal("token does not have three parts");

  const { key, typ } = readHeader(token.slice(0, headerEnd), keys, accessHeader);
  const payload = parseText(token.slice(headerEnd + 1, payloadEnd), "payload");
  // With a missing, empty or fourth part, this is not a signature.
  if (!key.verify(token.slice(0, payloadEnd), token.slice(payloadEnd + 1))) throw refusal("signature does not match");
  return { payload, key, typ };
}

function readHeader(segment: string, keys: VerifyingKeys, accessHeader: string | undefined): Signed {
  // Nearly every header is one that this key set writes.
  if (segment === keys.access?.header) return { key: keys.access, typ: "JWT" };
  if (segment === accessHeader && keys.access !== null) return { key: keys.access, typ: "at+jwt" };
  if (segment === keys.refresh?.header) return { key: keys.refresh, typ: "JWT" };

  const header = parseJsonObject(parseText(segment, "header"), "header");
  const refused = refusedParameters.find((name) => Object.hasOwn(header, name));
  if (refused !== undefined) throw refusal(`header has ${refused}`);
  const typ = toKnownType(header["typ"]);
  if (typ === null || (typ === "at+jwt" && accessHeader === undefined)) throw refusal("typ in the header is not JWT");
  const key = keys.find(header);
  if (key === null) throw refusal("no key has the kid and alg in the header");
  return { key, typ };
}

/**
 * Returns the type that `typ` means, in upper or lower case (RFC 7519 §5.1, RFC 9068 §2.1). If it is missing, the type is
 * JWT.
 */
function toKnownType(typ: unknown): Signed["typ"] | null {
  if (typ === undefined) return "JWT";
  if (typeof typ !== "string") return null;
  if (typ.toUpperCase() === "JWT") return "JWT";
  return typ.toLowerCase() === "at+jwt" ? "at+jwt" : null;
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
