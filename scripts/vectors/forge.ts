import { createHmac } from "node:crypto";
import { ec, type VectorKey } from "./keys.ts";

/** What the vectors' verifier is configured with. Times are whole seconds since the epoch. */
export const configuration = {
  issuer: "https://id.example",
  audience: "api",
  accessTokenProfile: "default",
  userIdClaim: "user_id",
  jtiClaim: "jti",
  tokenTypeClaim: "token_type",
  leeway: 30,
  clockTolerance: 60,
  now: 1_796_000_000,
};

const { now } = configuration;

/** The claims of the usual access token. */
export const goodClaims = {
  token_type: "access",
  exp: now + 1_200,
  iat: now - 600,
  jti: "5f0e2d1c3b4a59687786a5b4c3d2e1f0",
  user_id: "42",
  sid: "0198a7f2-1b2c-7d3e-8f40-516273849abc",
  ue: 3,
  iss: configuration.issuer,
  aud: configuration.audience,
  ge: 1,
};

/** Claims to replace; `undefined` removes one. */
export type Changes = Readonly<Record<string, unknown>>;

/** Encodes bytes, a text, or a value as JSON. */
export const encode = (part: unknown): string =>
  Buffer.from(part instanceof Uint8Array || typeof part === "string" ? part : JSON.stringify(part)).toString(
    "base64url",
  );

/** What a token consists of. */
export interface Parts {
  /** Signs the token, and is named by its header. Default: the ES256 key. */
  readonly key?: VectorKey;
  /** Header parameters to replace; a text or bytes replace the whole header. */
  readonly header?: Changes | string | Uint8Array;
  /** Claims to replace; a text or bytes replace the whole payload. */
  readonly payload?: Changes | string | Uint8Array;
  /** Replaces the signature, which it gets with the text that was signed. */
  readonly signature?: (genuine: Buffer, signed: string) => string | Uint8Array;
}

const isWhole = (part: unknown): part is string | Uint8Array => typeof part === "string" || part instanceof Uint8Array;

/** Returns a token that differs from a valid one in what is given, and is correctly signed all the same. */
export function forge({ key = ec, header = {}, payload = {}, signature }: Parts = {}): string {
  const goodHeader = { alg: key.alg, typ: "JWT", kid: key.kid };
  const first = encode(isWhole(header) ? header : { ...goodHeader, ...header });
  const second = encode(isWhole(payload) ? payload : { ...goodClaims, ...payload });
  return signEncoded(`${first}.${second}`, key, signature);
}

/** Returns a token whose first two parts are already encoded. */
export function signEncoded(signed: string, key: VectorKey = ec, signature: Parts["signature"] = undefined): string {
  const genuine = key.sign(signed);
  const other = signature?.(genuine, signed) ?? genuine;
  return `${signed}.${typeof other === "string" ? other : encode(other)}`;
}

/** Returns the JSON of a valid header, to change its text. */
export const headerText = (): string => JSON.stringify({ alg: ec.alg, typ: "JWT", kid: ec.kid });

/** Returns the JSON of valid claims, to change its text. */
export const payloadText = (): string => JSON.stringify(goodClaims);

/** Returns a function that signs with HMAC and a secret that everyone knows. */
export const hmac =
  (secret: string | Uint8Array) =>
  (_: Buffer, signed: string): Buffer =>
    createHmac("sha256", secret).update(signed).digest();

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Returns another base64url text of the same bytes: its last character has an unused bit that is set. */
export function withUnusedBit(text: string): string {
  if (text.length % 4 === 0) throw new Error("the text has no unused bits");
  return text.slice(0, -1) + alphabet[alphabet.indexOf(text.slice(-1)) + 1];
}
