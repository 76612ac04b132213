import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import type { Random } from "../core/runtime/random.ts";

/** The 32 random bytes that make a refresh token of the first generation. */
export const createSecret = (random: Random): Uint8Array => random(32);

/** The 16 random bytes that go into the secret of the next generation; kept in the session's row. */
export const createSalt = (random: Random): Uint8Array => random(16);

/**
 * The secret of `generation`, from the `secret` of the one before: HMAC-SHA-256(secret, "rt-v1" ‖ sid ‖ be32(generation)
 * ‖ salt). The same inputs give the same 32 bytes, so a spent token can be answered with the same successor although
 * the successor was never stored.
 */
export function deriveSecret(secret: Uint8Array, sessionId: string, generation: number, salt: Uint8Array): Uint8Array {
  const counter = Buffer.alloc(4);
  counter.writeUInt32BE(generation);
  return createHmac("sha256", secret).update("rt-v1").update(sessionId).update(counter).update(salt).digest();
}

/** SHA-256 of a secret: all that the database sees of it. */
export const hashSecret = (secret: Uint8Array): Uint8Array => createHash("sha256").update(secret).digest();

/** SHA-256 of an attempt id (the `Idempotency-Key` of a refresh). */
export const hashIdempotencyKey = (idempotencyKey: string): Uint8Array =>
  createHash("sha256").update(idempotencyKey).digest();

/** Whether a stored hash is there and the same. Constant time. */
export function isSameHash(stored: Uint8Array | null, hash: Uint8Array): boolean {
  return stored !== null && stored.length === hash.length && timingSafeEqual(stored, hash);
}

/** The `jti` of the refresh token that holds `secret`: 16 bytes in hex. Safe to log, and the same on a replay. */
export function toRefreshTokenId(secret: Uint8Array): string {
  return createHash("sha256").update("jti").update(secret).digest("hex").slice(0, 32);
}

/** A new session id: UUIDv7 (RFC 9562 §5.7) of `now`, whole seconds since the epoch. */
export const createSessionId = (now: number, random: Random): string =>
  uuidv7({ msecs: now * 1_000, random: random(16) });
