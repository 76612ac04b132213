import type { Random } from "../core/runtime/random.ts";
import { SettingError } from "../core/settings/setting-error.ts";
import type { KeyChange, KeyRecord, KeyRecords, KeyUpdate } from "../core/store/keys.ts";
import { generateKeyMaterial } from "../crypto/keys/key-material.ts";
import { type GivenKeys, isSameSecret } from "./given-keys.ts";
import { type NewRecord, type OpenedRing, toAccessRecord, toConfiguredRecord, toSecretRecord } from "./ring.ts";
import { firstSecret, toLiveSecrets, toRefreshLife } from "./secrets.ts";
import type { KeySettings } from "./snapshot.ts";
import { findEnd, findSigner, isSealed, toAccessRecords, toSecretRecords, toVerifyingTime } from "./states.ts";

/** The number of bytes of a new secret: as many as the longest hash has. */
const secretLength = 64;

/** The parameters of `toMissing`. */
export interface MissingSources {
  readonly records: KeyRecords;
  readonly opened: OpenedRing;
  readonly settings: KeySettings;
  readonly random: Random;
}

/**
 * Returns the change that this node needs before it can serve. The change adds the first key of the key ring, the first
 * secret, or a record that says from when a key in a setting signs. It also deletes private keys that are no longer needed.
 *
 * @returns `null` if nothing is missing.
 * @throws SettingError for `secret` if a new secret would log all users out.
 */
export function toMissing(given: GivenKeys, { records, opened, settings, random }: MissingSources): KeyChange | null {
  const add = [
    ...toMissingSecret(given, { records, opened, settings, random }),
    ...toMissingAccessKey(given, records),
  ].map((record) => toKeyRecord(record, records.now));
  const update = toOverdue(given, records, settings);
  if (add.length === 0 && update.length === 0) return null;
  return { ...(add.length === 0 ? {} : { add }), ...(update.length === 0 ? {} : { update }) };
}

/** Returns a record whose key signs from the time `signsFrom`. */
export function toKeyRecord(record: NewRecord, now: number, signsFrom = now): KeyRecord {
  return { ...record, createdAt: now, signsFrom, retireAt: null, retiredAt: null };
}

/** Returns the record of a new random secret. */
export function createSecretRecord(keks: NonNullable<GivenKeys["keks"]>, kid: string, random: Random): NewRecord {
  return toSecretRecord(keks, kid, random(secretLength));
}

function toMissingSecret(
  given: GivenKeys,
  { records, opened, settings, random }: MissingSources,
): readonly NewRecord[] {
  const secrets = toLiveSecrets(given, records, { opened, refreshLife: toRefreshLife(settings) });
  if (secrets.length > 0) return [];
  if (given.keks === null || toSecretRecords(records).length > 0) {
    throw new SettingError("secret", "is missing: every secret of this database was retired, or was in a setting.");
  }
  // Version 0.1 has signed the refresh tokens of this database with a key that isn't set any more.
  if (records.ownRefreshSince === null) {
    throw new SettingError(
      "secret",
      "is missing: the database has users of version 0.1. Set secret to the former signing key, and no user has to log in " +
        "again. To start without it, which logs all users out, run: tokenpair keys adopt",
    );
  }
  return [createSecretRecord(given.keks, firstSecret, random)];
}

function toMissingAccessKey(given: GivenKeys, records: KeyRecords): readonly NewRecord[] {
  const { signing, signingSecret, secret, keks, ringAlgorithm } = given;
  const stored = toAccessRecords(records);
  if (signing === null) {
    if (keks === null || findSigner(stored, records.now) !== null) return [];
    return [toAccessRecord(keks, generateKeyMaterial(ringAlgorithm))];
  }
  const isSecret = signingSecret !== null && (secret === null || isSameSecret(signingSecret, secret));
  const isKnown = stored.some(({ kid }) => kid === signing.kid);
  // The secret itself needs no record, unless it replaces a key of the key ring.
  return isKnown || (isSecret && !stored.some(isSealed)) ? [] : [toConfiguredRecord(signing)];
}

/** Returns the updates that delete private keys and secrets whose tokens can no longer be valid. */
function toOverdue(given: GivenKeys, records: KeyRecords, settings: KeySettings): readonly KeyUpdate[] {
  const { now } = records;
  const access = toAccessRecords(records);
  const secrets = toSecretRecords(records);
  const signer = given.signing === null ? findSigner(access, now) : null;
  const verifyingTime = toVerifyingTime(records, settings);
  const overdue = [
    ...access.filter((record) => record !== signer && isOver(findEnd(record, access, verifyingTime), now)),
    // Longer than any refresh token can be valid, whatever the other nodes have set.
    ...secrets.filter((record) => isOver(findEnd(record, secrets, settings.sessionLifetime), now)),
  ];
  return overdue.filter(isSealed).map(({ kid }) => ({ kid, sealed: null, kekId: null, retiredAt: now }));
}

function isOver(end: number | null, now: number): boolean {
  return end !== null && end <= now;
}
