import type { Algorithm } from "../core/settings/session-settings.ts";
import { SettingError } from "../core/settings/setting-error.ts";
import type { Settings } from "../core/settings/settings.ts";
import { isHmac } from "../crypto/keys/algorithms.ts";
import { createKeks, type Keks } from "../crypto/keys/key-encryption.ts";
import type { KeyMaterial } from "../crypto/keys/key-material.ts";
import { parseSigningKey } from "../crypto/keys/parse-signing-key.ts";
import { requireSecret } from "../crypto/secret-form.ts";

/** The keys from the settings, after they have been checked. */
export interface GivenKeys {
  /** The key in `signingKey`. `null` if a key of the key ring signs. */
  readonly signing: KeyMaterial | null;
  /** The bytes of `signingKey`, if it is a secret for HMAC. */
  readonly signingSecret: Uint8Array | null;
  /** The bytes of the setting `secret`. */
  readonly secret: Uint8Array | null;
  /** The key encryption keys for the keys in the database. `null` without `keyEncryptionKey`. */
  readonly keks: Keks | null;
  /** The algorithm of new keys of the key ring. */
  readonly ringAlgorithm: Algorithm;
}

/** The settings that contain keys. */
export interface KeyOptions {
  readonly signingKey?: unknown;
  readonly secret?: unknown;
  readonly settings: Pick<Settings, "algorithm" | "keyEncryptionKey">;
}

/** The minimum number of bytes of an installation's secret: as many as the hash of the keys that are derived from it. */
const minSecretLength = 32;

const createSecret = "Create one with: openssl rand -hex 48";

/**
 * Checks the keys in the settings.
 *
 * @throws SettingError for `signingKey`, `secret`, `algorithm` or `keyEncryptionKey`. It never quotes a key.
 */
export function parseGivenKeys({ signingKey, secret, settings }: KeyOptions): GivenKeys {
  const keks = settings.keyEncryptionKey === undefined ? null : createKeks(settings.keyEncryptionKey);
  const key = signingKey === undefined && keks !== null ? null : requireKey("signingKey", signingKey);
  const signing = key === null ? null : parseSigningKey(key, settings.algorithm);
  const given: GivenKeys = {
    signing,
    signingSecret: key !== null && signing !== null && isHmac(signing.algorithm) ? Buffer.from(key) : null,
    secret: secret === undefined ? null : parseSecret(secret),
    keks,
    ringAlgorithm: settings.algorithm ?? "ES256",
  };
  if (keks === null && given.secret === null && given.signingSecret === null) throw secretMissing();
  return Object.freeze(given);
}

/** Returns whether `signingKey` contains the only key, as in version 0.1. If so, the database contains no keys to read. */
export function isComplete({ signingSecret, secret, keks }: GivenKeys): boolean {
  return signingSecret !== null && keks === null && (secret === null || isSameSecret(secret, signingSecret));
}

/**
 * Returns whether two secrets have the same bytes. Both belong to the operator, so the comparison need not take constant
 * time.
 */
export function isSameSecret(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function parseSecret(value: unknown): Uint8Array {
  const secret = requireKey("secret", value);
  requireSecret(secret, "secret");
  const bytes = Buffer.from(secret);
  if (bytes.length >= minSecretLength) return bytes;
  throw new SettingError("secret", `must have at least ${minSecretLength} bytes, got ${bytes.length}. ${createSecret}`);
}

function requireKey(setting: "signingKey" | "secret", value: unknown): string | Uint8Array {
  if (typeof value === "string" || value instanceof Uint8Array) return value;
  const fault = value === undefined ? "is missing" : "must be a string or a Uint8Array";
  throw new SettingError(setting, `${fault}. ${createSecret}`);
}

function secretMissing(): SettingError {
  return new SettingError(
    "secret",
    "is missing: a private key signs access tokens only. Refresh, CSRF and device tokens need a secret that all nodes share. " +
      "If the signing key was a secret before, set it as secret: no user has to log in again. Otherwise, create one with: openssl rand -hex 48",
  );
}
