/*
 * RSA signatures that are the same in every run: PSS with a salt that a text gives. For public test keys only.
 */
import { constants, createHash, createPrivateKey, createPublicKey, privateEncrypt, sign } from "node:crypto";

type Hash = "sha256" | "sha384" | "sha512";

/** RFC 7520 §3.4. */
const jwk = {
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

const privateKey = createPrivateKey({ key: jwk, format: "jwk" });

/** The public members. */
export const rsaMembers = { e: jwk.e, kty: jwk.kty, n: jwk.n };

/** The public key as a PEM: what a forger uses as an HMAC secret. */
export const rsaPem = createPublicKey(privateKey).export({ type: "spki", format: "pem" }) as string;

/** Returns the public members of a key that is too short. Its private half is unknown to everyone: the modulus is a hash. */
export function generateWeakRsa(): Readonly<Record<string, string>> {
  const half = createHash("sha512").update("tokenpair vectors: a short modulus").digest();
  const modulus = Buffer.concat([half, createHash("sha512").update(half).digest()]);
  modulus[0] = (modulus[0] ?? 0) | 0x80;
  modulus[127] = (modulus[127] ?? 0) | 1;
  return { kty: jwk.kty, n: modulus.toString("base64url"), e: jwk.e };
}

/** Signs a text with PKCS #1 v1.5. */
export const signPkcs1 = (hash: Hash, text: string): Buffer => sign(hash, Buffer.from(text), privateKey);

const digest = (hash: Hash, ...parts: readonly Uint8Array[]) => createHash(hash).update(Buffer.concat(parts)).digest();

/** Signs a text with PSS (RFC 8017 §9.1.1). @param saltLength default: as long as the hash, as JWS demands. */
export function signPss(hash: Hash, text: string, saltLength = digest(hash).length): Buffer {
  const size = 256;
  const salt = createHash("sha512").update("tokenpair vectors: a salt").digest().subarray(0, saltLength);
  const seed = digest(hash, Buffer.alloc(8), digest(hash, Buffer.from(text)), salt);
  const length = size - seed.length - 1;
  const block = Buffer.concat([Buffer.alloc(length - saltLength - 1), Buffer.of(1), salt]);
  const mask: Buffer[] = [];
  for (let i = 0; i * seed.length < length; i++) mask.push(digest(hash, seed, Buffer.of(0, 0, 0, i)));
  const masked = Buffer.concat(mask)
    .subarray(0, length)
    .map((byte, i) => byte ^ (block[i] ?? 0));
  masked[0] = (masked[0] ?? 0) & 0x7f;
  const encoded = Buffer.concat([masked, seed, Buffer.of(0xbc)]);
  return privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, encoded);
}
