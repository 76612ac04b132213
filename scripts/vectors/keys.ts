/*
 * The keys of the vectors. Their private halves are published in RFCs, or are the hash of a text: never use them for anything
 * else.
 */
import { createHash, createPrivateKey, sign } from "node:crypto";
import { type Curve, p256, p384, p521, toNumber } from "./ecdsa.ts";
import { rsaMembers, signPkcs1, signPss } from "./rsa.ts";

/** A key that signs tokens of the vectors. */
export interface VectorKey {
  readonly alg: "EdDSA" | `${"ES" | "RS" | "PS"}${"256" | "384" | "512"}`;
  /** The RFC 7638 thumbprint, as the issuer has it, or another name. */
  readonly kid: string;
  /** The public half as the issuer publishes it. */
  readonly jwk: Readonly<Record<string, string>>;
  /** Returns the signature of a text. */
  sign(text: string): Buffer;
}

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");

/** Returns a key by its public members, which must be in alphabetical order (RFC 7638 §3.2). */
function toKey(
  alg: VectorKey["alg"],
  members: Readonly<Record<string, string>>,
  signText: VectorKey["sign"],
  kid = createHash("sha256").update(JSON.stringify(members)).digest("base64url"),
): VectorKey {
  const { kty = "", ...numbers } = members;
  return { alg, kid, jwk: { kty, ...numbers, use: "sig", alg, kid }, sign: signText };
}

function toEcKey(alg: VectorKey["alg"], crv: string, { toPoint, toBytes, sign }: Curve, secret: bigint): VectorKey {
  const [x, y] = toPoint(secret);
  const members = { crv, kty: "EC", x: base64url(toBytes(x)), y: base64url(toBytes(y)) };
  return toKey(alg, members, (text) => Buffer.concat(sign(secret, text).map(toBytes)));
}

const toEs256Key = (secret: bigint) => toEcKey("ES256", "P-256", p256, secret);

const scalarOf = (text: string) => toNumber(createHash("sha256").update(text).digest());

/** RFC 7515 appendix A.3. */
export const ec = toEs256Key(toNumber(Buffer.from("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI", "base64url")));

/** The key that signs next: published, but most tokens are not its. */
export const nextEc = toEs256Key(scalarOf("tokenpair vectors: the next key"));

/** A key that is not in the set. */
export const foreignEc = toEs256Key(scalarOf("tokenpair vectors: a foreign key"));

/** RFC 8037 appendix A.1. */
export const ed = (() => {
  const x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
  const d = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
  const key = createPrivateKey({ key: { kty: "OKP", crv: "Ed25519", x, d }, format: "jwk" });
  return toKey("EdDSA", { crv: "Ed25519", kty: "OKP", x }, (text) => sign(null, Buffer.from(text), key));
})();

/** RFC 7520 §3.4. */
export const rsa = toKey("RS256", rsaMembers, (text) => signPkcs1("sha256", text));

/** The keys of the other algorithms, which few issuers use. One RSA key has them all, so their kids are the names. */
export const others: readonly VectorKey[] = [
  toEcKey("ES384", "P-384", p384, scalarOf("tokenpair vectors: ES384")),
  toEcKey("ES512", "P-521", p521, scalarOf("tokenpair vectors: ES512")),
  ...(["384", "512"] as const).map((bits) =>
    toKey(`RS${bits}`, rsaMembers, (text) => signPkcs1(`sha${bits}`, text), `rs${bits}`),
  ),
  ...(["256", "384", "512"] as const).map((bits) =>
    toKey(`PS${bits}`, rsaMembers, (text) => signPss(`sha${bits}`, text), `ps${bits}`),
  ),
];

/** A JWK Set, and its version. */
export interface VectorKeys {
  readonly body: string;
  readonly version: string;
}

/** Returns the JWK Set that the issuer publishes for these keys. */
export function toKeys(keys: readonly VectorKey[]): VectorKeys {
  const sorted = [...keys].sort((a, b) => (a.kid < b.kid ? -1 : 1));
  const body = JSON.stringify({ keys: sorted.map(({ jwk }) => jwk) });
  return { body, version: createHash("sha256").update(body).digest("hex").slice(0, 8) };
}

/** The set that the vectors are about. */
export const published = toKeys([ec, nextEc, ed, rsa, ...others]);
