/*
 * The keys of the vectors. Their private halves are published in RFCs, or are the hash of a text: never use them for anything
 * else.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { signEs256, toBytes, toJwsSignature, toNumber, toPoint } from "./p256.ts";

/** A key that signs tokens of the vectors. */
export interface VectorKey {
  readonly alg: "ES256" | "EdDSA" | "RS256";
  /** The RFC 7638 thumbprint. */
  readonly kid: string;
  /** The public half as the issuer publishes it. */
  readonly jwk: Readonly<Record<string, string>>;
  /** Returns the signature of a text. */
  sign(text: string): Buffer;
}

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");

/** Returns a key by its public members, which must be in alphabetical order (RFC 7638 §3.2). */
function toKey(alg: VectorKey["alg"], members: Record<string, string>, signText: VectorKey["sign"]): VectorKey {
  const kid = createHash("sha256").update(JSON.stringify(members)).digest("base64url");
  const { kty = "", ...numbers } = members;
  return { alg, kid, jwk: { kty, ...numbers, use: "sig", alg, kid }, sign: signText };
}

function toEcKey(secret: bigint): VectorKey & { readonly secret: bigint } {
  const [x, y] = toPoint(secret);
  const members = { crv: "P-256", kty: "EC", x: base64url(toBytes(x)), y: base64url(toBytes(y)) };
  return { secret, ...toKey("ES256", members, (text) => toJwsSignature(...signEs256(secret, text))) };
}

const scalarOf = (text: string) => toNumber(createHash("sha256").update(text).digest());

/** RFC 7515 appendix A.3. */
export const ec = toEcKey(toNumber(Buffer.from("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI", "base64url")));

/** The key that signs next: published, but most tokens are not its. */
export const nextEc = toEcKey(scalarOf("tokenpair vectors: the next key"));

/** A key that is not in the set. */
export const foreignEc = toEcKey(scalarOf("tokenpair vectors: a foreign key"));

/** RFC 8037 appendix A.1. */
export const ed = (() => {
  const x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
  const d = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
  const key = createPrivateKey({ key: { kty: "OKP", crv: "Ed25519", x, d }, format: "jwk" });
  return toKey("EdDSA", { crv: "Ed25519", kty: "OKP", x }, (text) => sign(null, Buffer.from(text), key));
})();

/** RFC 7520 §3.4. */
const rsaJwk = {
  kty: "RSA",
  n: "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw",
  e: "AQAB",
  d: "bWUC9B-EFRIo8kpGfh0ZuyGPvMNKvYWNtB_ikiH9k20eT-O1q_I78eiZkpXxXQ0UTEs2LsNRS-8uJbvQ-A1irkwMSMkK1J3XTGgdrhCku9gRldY7sNA_AKZGh-Q661_42rINLRCe8W-nZ34ui_qOfkLnK9QWDDqpaIsA-bMwWWSDFu2MUBYwkHTMEzLYGqOe04noqeq1hExBTHBOBdkMXiuFhUq1BU6l-DqEiWxqg82sXt2h-LMnT3046AOYJoRioz75tSUQfGCshWTBnP5uDjd18kKhyv07lhfSJdrPdM5Plyl21hsFf4L_mHCuoFau7gdsPfHPxxjVOcOpBrQzwQ",
  p: "3Slxg_DwTXJcb6095RoXygQCAZ5RnAvZlno1yhHtnUex_fp7AZ_9nRaO7HX_-SFfGQeutao2TDjDAWU4Vupk8rw9JR0AzZ0N2fvuIAmr_WCsmGpeNqQnev1T7IyEsnh8UMt-n5CafhkikzhEsrmndH6LxOrvRJlsPp6Zv8bUq0k",
  q: "uKE2dh-cTf6ERF4k4e_jy78GfPYUIaUyoSSJuBzp3Cubk3OCqs6grT8bR_cu0Dm1MZwWmtdqDyI95HrUeq3MP15vMMON8lHTeZu2lmKvwqW7anV5UzhM1iZ7z4yMkuUwFWoBvyY898EXvRD-hdqRxHlSqAZ192zB3pVFJ0s7pFc",
  dp: "B8PVvXkvJrj2L-GYQ7v3y9r6Kw5g9SahXBwsWUzp19TVlgI-YV85q1NIb1rxQtD-IsXXR3-TanevuRPRt5OBOdiMGQp8pbt26gljYfKU_E9xn-RULHz0-ed9E9gXLKD4VGngpz-PfQ_q29pk5xWHoJp009Qf1HvChixRX59ehik",
  dq: "CLDmDGduhylc9o7r84rEUVn7pzQ6PF83Y-iBZx5NT-TpnOZKF1pErAMVeKzFEl41DlHHqqBLSM0W1sOFbwTxYWZDm6sI6og5iTbwQGIC3gnJKbi_7k_vJgGHwHxgPaX2PnvP-zyEkDERuf-ry4c_Z11Cq9AqC2yeL6kdKT1cYF8",
  qi: "3PiqvXQN0zwMeE-sBvZgi289XP9XCQF3VWqPzMKnIgQp7_Tugo6-NZBKCQsMf3HaEGBjTVJs_jcK8-TRXvaKe-7ZMaQj8VfBdYkssbu0NKDDhjJ-GtiseaDVWt7dcH0cfwxgFUHpQh7FoCrjFJ6h6ZEpMF6xmujs4qMpPz8aaI4",
};

const rsaPrivateKey: KeyObject = createPrivateKey({ key: rsaJwk, format: "jwk" });

/** RFC 7520 §3.4. */
export const rsa = toKey("RS256", { e: rsaJwk.e, kty: "RSA", n: rsaJwk.n }, (text) =>
  sign("sha256", Buffer.from(text), rsaPrivateKey),
);

/** The public RSA key as a PEM: what a forger uses as an HMAC secret. */
export const rsaPem = createPublicKey(rsaPrivateKey).export({ type: "spki", format: "pem" }) as string;

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
export const published = toKeys([ec, nextEc, ed, rsa]);
