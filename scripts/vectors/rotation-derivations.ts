import { createHash, createHmac, hkdfSync } from "node:crypto";

/** The session of the vectors. */
export const sid = "0198a7f2-1b2c-7d3e-8f40-516273849abc";

/** The idempotency key of the vectors. */
export const idempotencyKey = "Zk3q9VYb0m5oRkq2nWl7xA";

const sha256 = (...parts: readonly (string | Uint8Array)[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const be32 = (number: number): Buffer => Buffer.from(number.toString(16).padStart(8, "0"), "hex");

/** Returns SHA-256 in hexadecimal digits, which is how the row's hashes are written. */
export const hashOf = (data: string | Uint8Array): string => sha256(data).toString("hex");

/** Returns the salt of a generation: 16 bytes. */
export const saltOf = (generation: number): Buffer => sha256(`tokenpair vectors: salt ${generation}`).subarray(0, 16);

/** Derives the secret of a generation from the one before. */
export function derive(secret: Uint8Array, session: string, generation: number, salt: Uint8Array): Buffer {
  return createHmac("sha256", secret)
    .update(Buffer.concat([Buffer.from(`rt-v1${session}`), be32(generation), salt]))
    .digest();
}

/** Returns the `jti` of the refresh token with this secret. */
export const jtiOf = (secret: Uint8Array): string => sha256("jti", secret).toString("hex").slice(0, 32);

function toSecrets(generations: number): readonly Buffer[] {
  let secret = sha256("tokenpair vectors: the first secret");
  const list = [secret];
  for (let n = 1; n < generations; n++) {
    secret = derive(secret, sid, n, saltOf(n));
    list.push(secret);
  }
  return list;
}

/** The secrets of the session's generations, from 0 on. */
export const secrets: readonly Buffer[] = toSecrets(5);

/** The secret of an installation, for the vectors only. */
const installationSecret = "an installation secret for the vectors alone";

/** Returns the key of refresh tokens. */
const refreshKeyOf = (secret: string, bytes: number) =>
  Buffer.from(hkdfSync("sha256", secret, "", "tokenpair refresh v1", bytes));

/** Returns the vectors of everything that is derived. Bytes are hexadecimal digits. */
export function toDerivationVectors() {
  const longest = Buffer.alloc(32, 0xff);
  return {
    secrets: [
      ...[1, 2, 3].map((n) => ({ secret: secrets[n - 1] ?? longest, sid, generation: n, salt: saltOf(n) })),
      { secret: longest, sid: "s", generation: 2 ** 32 - 1, salt: Buffer.alloc(16) },
    ].map(({ secret, salt, ...rest }) => {
      const next = derive(secret, rest.sid, rest.generation, salt);
      return {
        secret: secret.toString("hex"),
        ...rest,
        salt: salt.toString("hex"),
        next: next.toString("hex"),
        hash: hashOf(next),
        jti: jtiOf(next),
      };
    }),
    idempotencyKeys: [idempotencyKey, "-".repeat(128)].map((key) => ({ key, hash: hashOf(key) })),
    refreshKeys: [32, 48, 64].map((bytes) => ({
      secret: installationSecret,
      algorithm: `HS${bytes * 8}`,
      key: refreshKeyOf(installationSecret, bytes).toString("hex"),
    })),
    passwordChanges: [1, 3].map((epoch) => ({
      key: idempotencyKey,
      sid,
      epoch,
      secret: createHmac("sha256", idempotencyKey)
        .update(Buffer.concat([Buffer.from(`password-v1${sid}`), be32(epoch)]))
        .digest("hex"),
    })),
    tokens: [0, 1, 2].map(toRefreshToken),
  };
}

/** Returns a refresh token, and what it is made from. */
function toRefreshToken(gen: number) {
  const secret = secrets[gen] ?? Buffer.alloc(0);
  const claims = {
    token_type: "refresh",
    exp: 1_798_592_000,
    iat: 1_796_000_000,
    jti: jtiOf(secret),
    user_id: "42",
    sid,
    ue: 3,
    gen,
    secret: secret.toString("base64url"),
  };
  const parts = [{ alg: "HS256", typ: "JWT", kid: "r1" }, claims];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const key = refreshKeyOf(installationSecret, 32);
  return {
    secret: installationSecret,
    claims,
    token: `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`,
  };
}
