import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import type { Random } from "../core/runtime/random.ts";

/** Creates the secret of a session's first refresh token: 32 random bytes. */
export const createSecret = (random: Random): Uint8Array => random(32);

/** Creates the salt for deriving the next generation's secret: 16 random bytes, which are stored in the session's row. */
export const createSalt = (random: Random): Uint8Array => random(16);

/**
 * Derives the secret of `generation` from the `secret` of the previous generation: HMAC-SHA-256(secret, "rt-v1" ‖ sid ‖
 * be32(generation) ‖ salt). The same inputs give the same 32 bytes, so a replay gets the same successor again, although it
 * was never stored.
 */
export function deriveSecret(secret: Uint8Array, sessionId: string, generation: number, salt: Uint8Array): Uint8Array {
  const counter = Buffer.alloc(4);
  counter.writeUInt32BE(generation);
  return createHmac("sha256", secret).update("rt-v1").update(sessionId).update(counter).update(salt).digest();
}

/**
 * Derives the secret of the generation that a password change creates from the client's idempotency key: HMAC-SHA-256(key,
 * "password-v1" ‖ sid ‖ be32(epoch)). So a repeated request gets the same pair. The key has at least 128 random bits and is
 * stored only as a hash.
 *
 * @param epoch the user's epoch after the change.
 */
export function deriveChangeSecret(idempotencyKey: string, sessionId: string, epoch: number): Uint8Array {
  const counter = Buffer.alloc(4);
  counter.writeUInt32BE(epoch);
  return createHmac("sha256", idempotencyKey).update("password-v1").update(sessionId).update(counter).digest();
}

/**
 * Derives the first secret of a session that a ticket was used for from the client's idempotency key, so that a repeated request
 * gets the same pair: HMAC-SHA-256(key, "login-v1" ‖ sid). The key has at least 128 random bits and is stored only as a hash.
 */
export function deriveLoginSecret(idempotencyKey: string, sessionId: string): Uint8Array {
  return createHmac("sha256", idempotencyKey).update("login-v1").update(sessionId).digest();
}

/**
 * Returns the secret that a refresh token of simplejwt yields: HMAC-SHA-256(SHA-256(token), "legacy-v1"). It takes the place
 * of the generation before the first, so that `deriveSecret` makes the first generation's secret from it.
 */
export function toLegacySecret(token: string): Uint8Array {
  return createHmac("sha256", createHash("sha256").update(token).digest()).update("legacy-v1").digest();
}

/** Returns the SHA-256 hash of a secret. Only this hash is stored. */
export const hashSecret = (secret: Uint8Array): Uint8Array => createHash("sha256").update(secret).digest();

/** Returns the SHA-256 hash of an `Idempotency-Key`. */
export const hashIdempotencyKey = (idempotencyKey: string): Uint8Array =>
  createHash("sha256").update(idempotencyKey).digest();

/** Returns whether a stored hash is present and equal to `hash`. Compares in constant time. */
export function isSameHash(stored: Uint8Array | null, hash: Uint8Array): boolean {
  return stored !== null && stored.length === hash.length && timingSafeEqual(stored, hash);
}

/**
 * Returns the `jti` of the refresh token with this secret: 16 bytes in hex. It is safe to log, and the same after a replay.
 */
export function toRefreshTokenId(secret: Uint8Array): string {
  return createHash("sha256").update("jti").update(secret).digest("hex").slice(0, 32);
}

/** Creates a session id: a UUIDv7 (RFC 9562 §5.7) with the time `now`, in whole seconds since the epoch. */
export const createSessionId = (now: number, random: Random): string =>
  uuidv7({ msecs: now * 1_000, random: random(16) });
