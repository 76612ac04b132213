import type { TokenType } from "../../core/claims.ts";
import type { Algorithm } from "../../core/settings/session-settings.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { toBase64url } from "../base64url.ts";

/**
 * Which tokens a key may sign. `both`: an HMAC key in the form of version 0.1, which had one key for both kinds of token.
 */
export type KeyUse = TokenType | "both";

/** A key that verifies with one algorithm. It has no property that contains key material, so it is safe to print. */
export interface VerifyingKey {
  /** The key's name in a header (RFC 7515 §4.1.4). It is not secret. */
  readonly kid: string;
  /** The only algorithm that the key is used with. */
  readonly algorithm: Algorithm;
  /** Which tokens the key may have signed. */
  readonly use: KeyUse;
  /** The protected header that most JWTs of this key have: `{alg, typ: "JWT", kid}` in base64url. */
  readonly header: string;
  /** Returns whether `signature`, in canonical base64url, is this key's signature of `signingInput`. Never throws. */
  verify(signingInput: string, signature: string): boolean;
}

/** A key that signs and verifies. */
export interface SigningKey extends VerifyingKey {
  /** The number of characters of a signature. */
  readonly signatureLength: number;
  /** Returns the signature of `signingInput` (RFC 7515 §5.1) in base64url. */
  sign(signingInput: string): string;
}

/** Returns whether a key of this use may have signed a token of this type. */
export function allows(use: KeyUse, type: TokenType): boolean {
  return use === "both" || use === type;
}

/** Returns the protected header `{alg, typ, kid}` in base64url (RFC 7515 §4.1). */
export function toProtectedHeader(alg: Algorithm, typ: string, kid: string): string {
  return toBase64url(Buffer.from(JSON.stringify({ alg, typ, kid })));
}

/**
 * Returns the header of a key's access tokens that follow RFC 9068, whose `typ` is at+jwt; `undefined` if they don't. Without a
 * key, it is the header of no token.
 */
export function toAccessHeader(
  key: Pick<VerifyingKey, "algorithm" | "kid"> | null,
  { accessTokenProfile }: Pick<Settings, "accessTokenProfile">,
): string | undefined {
  if (accessTokenProfile !== "rfc9068") return undefined;
  return key === null ? "" : toProtectedHeader(key.algorithm, "at+jwt", key.kid);
}

/** Returns how many characters `bytes` bytes have in base64url. */
export function toEncodedLength(bytes: number): number {
  return Math.ceil((bytes * 4) / 3);
}
