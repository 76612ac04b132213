import type { Algorithm } from "../core/settings/session-settings.ts";
import { SettingError } from "../core/settings/setting-error.ts";
import type { KeyRecord, KeyRecords, KeyUpdate } from "../core/store/keys.ts";
import type { Keks } from "../crypto/keys/key-encryption.ts";
import { exportKeyMaterial, type KeyMaterial, toPublicJwk } from "../crypto/keys/key-material.ts";
import { parseSigningKey } from "../crypto/keys/parse-signing-key.ts";
import { isSealed, type SealedRecord } from "./states.ts";

/** The decrypted keys and secrets from the database, both by `kid`. */
export interface OpenedRing {
  readonly access: ReadonlyMap<string, KeyMaterial>;
  readonly secrets: ReadonlyMap<string, Uint8Array>;
}

/** A record without its times. */
export type NewRecord = Omit<KeyRecord, "createdAt" | "signsFrom" | "retireAt" | "retiredAt">;

/** Thrown if a key in the database can't be decrypted with the node's key encryption keys. */
export class UnreadableKeyError extends SettingError {
  /** The key's name. */
  readonly kid: string;
  /** The id of the key encryption key that encrypted it. */
  readonly kekId: string;

  /** Creates the error. `fault` completes a sentence that begins with `keyEncryptionKey`. */
  constructor({ kid, kekId }: Pick<KeyRecord, "kid"> & { readonly kekId: string }, fault: string) {
    super("keyEncryptionKey", fault);
    this.kid = kid;
    this.kekId = kekId;
  }
}

/**
 * Decrypts every key and secret in the database that isn't retired. So a missing key encryption key is noticed when the
 * node starts, and not when the first token needs it. Keys that weren't encrypted are never used for verifying.
 *
 * @throws UnreadableKeyError for the first key that can't be decrypted.
 */
export function openRing({ keys }: Pick<KeyRecords, "keys">, keks: Keks | null): OpenedRing {
  const access = new Map<string, KeyMaterial>();
  const secrets = new Map<string, Uint8Array>();
  for (const record of keys.filter(isSealed)) {
    if (record.use === "access") access.set(record.kid, openAccessKey(record, keks));
    if (record.use === "secret") secrets.set(record.kid, open(record, keks));
  }
  return { access, secrets };
}

/**
 * Returns what a node still knows of the key ring if it can't decrypt all of it: the keys and secrets that it has decrypted
 * before and that aren't retired, and the records without those that it has never decrypted.
 */
export function withOpened(
  records: KeyRecords,
  { access, secrets }: OpenedRing,
): { readonly records: KeyRecords; readonly opened: OpenedRing } {
  const isOpened = ({ kid, use }: KeyRecord) => (use === "access" ? access : secrets).has(kid);
  const live = new Set(records.keys.filter(isSealed).map(({ kid }) => kid));
  const isLive = ([kid]: readonly [string, unknown]) => live.has(kid);
  return {
    records: { ...records, keys: records.keys.filter((record) => !isSealed(record) || isOpened(record)) },
    opened: { access: new Map([...access].filter(isLive)), secrets: new Map([...secrets].filter(isLive)) },
  };
}

function open(record: SealedRecord, keks: Keks | null): Uint8Array {
  const { kid, sealed, kekId } = record;
  if (keks === null) {
    throw new UnreadableKeyError(
      record,
      `is missing: the key "${kekId}" encrypts the key "${kid}" in the database. Set it.`,
    );
  }
  try {
    return keks.open(kid, sealed, kekId);
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    throw new UnreadableKeyError(record, error.message.replace(/^keyEncryptionKey /, ""));
  }
}

function openAccessKey(record: SealedRecord, keks: Keks | null): KeyMaterial {
  const bytes = open(record, keks);
  try {
    // The name is part of what was sealed, so a key can't have got another one's algorithm.
    const material = parseSigningKey(bytes, record.algorithm as Algorithm);
    if (material.kid === record.kid) return material;
  } catch (error) {
    // Another version may have sealed a key of a kind that this one doesn't know.
    if (!(error instanceof SettingError)) throw error;
  }
  throw new UnreadableKeyError(record, `opens the key "${record.kid}", but this version can't use it.`);
}

/** Returns the record of a new access key, which is encrypted. */
export function toAccessRecord(keks: Keks, material: KeyMaterial): NewRecord {
  const { kid, algorithm } = material;
  const jwk = toPublicJwk(material);
  const publicJwk = jwk === null ? null : JSON.stringify(jwk);
  return { kid, use: "access", algorithm, publicJwk, ...keks.seal(kid, exportKeyMaterial(material)) };
}

/**
 * Returns the record of a key that is in a setting of the nodes. The record contains no private key. It only says from when
 * the key signs.
 */
export function toConfiguredRecord(material: KeyMaterial): NewRecord {
  const { kid, algorithm } = material;
  const jwk = toPublicJwk(material);
  return {
    kid,
    use: "access",
    algorithm,
    publicJwk: jwk === null ? null : JSON.stringify(jwk),
    sealed: null,
    kekId: null,
  };
}

/** The algorithm of refresh tokens that have their own key. */
export const refreshAlgorithm = "HS256";

/**
 * Returns the record of a new secret, which is encrypted.
 *
 * @param kid the name of its refresh key: "r1", "r2", …
 */
export function toSecretRecord(keks: Keks, kid: string, secret: Uint8Array): NewRecord {
  return { kid, use: "secret", algorithm: refreshAlgorithm, publicJwk: null, ...keks.seal(kid, secret) };
}

/**
 * Encrypts the keys again that were not encrypted with the first key encryption key.
 *
 * @throws UnreadableKeyError if one of them can't be decrypted.
 */
export function resealRing({ keys }: Pick<KeyRecords, "keys">, keks: Keks): readonly KeyUpdate[] {
  return keys
    .filter(isSealed)
    .filter(({ kekId }) => kekId !== keks.id)
    .map((record) => ({ kid: record.kid, ...keks.seal(record.kid, open(record, keks)) }));
}
