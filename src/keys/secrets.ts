import { SettingError } from "../core/settings/setting-error.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { KeyRecord, KeyRecords } from "../core/store/keys.ts";
import { type GivenKeys, isSameSecret } from "./given-keys.ts";
import type { OpenedRing } from "./ring.ts";
import { toSecretRecords } from "./states.ts";

/** The name of the first secret's refresh key. The first secret is in a setting, or was created by the first node. */
export const firstSecret = "r1";

/** A secret whose tokens are accepted. */
export interface LiveSecret {
  /** The `kid` of the secret's refresh key: "r1", "r2", … */
  readonly kid: string;
  readonly secret: Uint8Array;
  /** The time from which new tokens are created with the secret, in whole seconds since the epoch. */
  readonly signsFrom: number;
  /** The time until which the secret's tokens are accepted. `null` if no other secret replaces it. */
  readonly end: number | null;
  /** Whether a node created the secret and stored it, encrypted, in the database. */
  readonly isFromRing: boolean;
}

/** Returns how long a refresh token can be valid, in seconds. */
export function toRefreshLife({
  rotateRefreshTokens,
  refreshTokenLifetime,
  sessionLifetime,
}: Pick<Settings, "rotateRefreshTokens" | "refreshTokenLifetime" | "sessionLifetime">): number {
  return rotateRefreshTokens === true ? refreshTokenLifetime : sessionLifetime;
}

/**
 * Returns the secrets whose tokens are accepted, in the order in which they begin to sign. After a secret has been
 * replaced, it is accepted until its last refresh token has expired. Its CSRF tokens are accepted for the same time,
 * because a browser that was closed for days sends both.
 *
 * @param refreshLife the result of `toRefreshLife`.
 * @throws SettingError for `secret` if it isn't the first secret of this database.
 */
export function toLiveSecrets(
  given: GivenKeys,
  records: KeyRecords,
  { opened, refreshLife }: { readonly opened: OpenedRing; readonly refreshLife: number },
): readonly LiveSecret[] {
  const stored = toSecretRecords(records);
  const first = findFirstSecret(given, opened);
  const isFirstStored = stored.some(({ kid }) => kid === firstSecret);
  const known = [
    // In a setting and in no record: it has always been there.
    ...(first !== null && !isFirstStored ? [{ kid: firstSecret, signsFrom: 0, retiredAt: null, retireAt: null }] : []),
    ...stored,
  ];
  return known.flatMap((record, index) => {
    const secret = record.kid === firstSecret ? first : (opened.secrets.get(record.kid) ?? null);
    const end = findSecretEnd(record, known[index + 1], refreshLife);
    // What was retired stays retired, also if the database's clock was set back.
    if (secret === null || record.retiredAt !== null || (end !== null && end <= records.now)) return [];
    const isFromRing = opened.secrets.has(record.kid);
    return [{ kid: record.kid, secret, signsFrom: record.signsFrom, end, isFromRing }];
  });
}

function findSecretEnd(
  { retiredAt, retireAt }: Pick<KeyRecord, "retiredAt" | "retireAt">,
  next: Pick<KeyRecord, "signsFrom"> | undefined,
  refreshLife: number,
): number | null {
  return retiredAt ?? retireAt ?? (next === undefined ? null : next.signsFrom + refreshLife);
}

/** Returns the secret that new tokens are created with: the newest secret that may already sign. */
export function findMaker(secrets: readonly LiveSecret[], now: number): LiveSecret | null {
  return secrets.findLast(({ signsFrom }) => signsFrom <= now) ?? secrets[0] ?? null;
}

/**
 * Returns the first secret. This is the setting `secret`. If that isn't set, it is the secret that a node created. If there
 * is none, it is the HMAC signing key, as in version 0.1.
 *
 * @throws SettingError for `secret` if it differs from the secret that a node created.
 */
function findFirstSecret({ secret, signingSecret }: GivenKeys, { secrets }: OpenedRing): Uint8Array | null {
  const made = secrets.get(firstSecret) ?? null;
  if (secret !== null && made !== null && !isSameSecret(secret, made)) {
    throw new SettingError(
      "secret",
      `differs from the secret "${firstSecret}" in the database, which all sessions depend on. Remove the setting.`,
    );
  }
  return secret ?? made ?? signingSecret;
}
