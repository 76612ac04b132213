import { clockMargin } from "../core/revocation-horizon.ts";
import type { KeyRecord, KeyRecords } from "../core/store/keys.ts";

/**
 * What a key is currently used for. `published`: services may already know it, but it doesn't sign yet. `signing`: it is
 * the only key that signs. `verifying`: another key has replaced it, and its tokens may still be valid. `retired`: its
 * tokens are no longer accepted. `configured`: it is in a setting of the nodes, and the database only knows from when it
 * signs.
 */
export type KeyState = "published" | "signing" | "verifying" | "retired" | "configured";

/**
 * How long a new access key is only published, in seconds. This is the `max-age` of the JWKS plus a minute for the clocks
 * of its readers.
 */
export const publishLead = 360;

/**
 * How long a new secret is accepted before it signs, in seconds. This gives every node time to learn the secret before any
 * node signs with it.
 */
export const secretLead = 60;

/** A record whose encrypted private key or secret is in the database. */
export type SealedRecord = KeyRecord & { readonly sealed: Uint8Array; readonly kekId: string };

/** Returns whether the database contains the record's private key or secret. For a retired record, it doesn't. */
export function isSealed(record: KeyRecord): record is SealedRecord {
  return record.sealed !== null && record.retiredAt === null;
}

/** Returns the records of access keys, in the order in which they begin to sign. */
export function toAccessRecords({ keys }: Pick<KeyRecords, "keys">): readonly KeyRecord[] {
  return keys.filter(({ use }) => use === "access").sort(bySigning);
}

/** Returns the records of secrets, in the order in which they begin to sign. */
export function toSecretRecords({ keys }: Pick<KeyRecords, "keys">): readonly KeyRecord[] {
  return keys.filter(({ use }) => use === "secret").sort(bySigning);
}

/**
 * Compares two records by the order in which they begin to sign. The order is the same on every node, even for keys that
 * were created in the same second.
 */
function bySigning(a: KeyRecord, b: KeyRecord): number {
  // 0 for a record and itself, which must not count as its own successor.
  return a.signsFrom - b.signsFrom || Number(a.kid > b.kid) - Number(a.kid < b.kid);
}

/**
 * Returns the access key in the database that signs: the newest key that may already sign. If all keys are only published,
 * the first one signs, because a node without a key can't work.
 *
 * @param records access records, in the order of `toAccessRecords`.
 * @returns the key, or `null` if the database contains no key.
 */
export function findSigner(records: readonly KeyRecord[], now: number): SealedRecord | null {
  const sealed = records.filter(isSealed);
  return sealed.findLast(({ signsFrom }) => signsFrom <= now) ?? sealed[0] ?? null;
}

/** Returns the encrypted keys that begin to sign later than `signer`, the key that signs now. */
export function findPublished(records: readonly KeyRecord[], signer: KeyRecord | null): readonly SealedRecord[] {
  const sealed = records.filter(isSealed);
  return signer === null ? sealed : sealed.filter((record) => bySigning(record, signer) > 0);
}

/**
 * Returns how long a replaced access key still verifies, in seconds: until its last token has expired on every clock.
 *
 * @param shortest the caller's own `accessTokenLifetime`, which may not be in the records yet.
 */
export function toVerifyingTime(
  { longestAccess }: Pick<KeyRecords, "longestAccess">,
  { accessTokenLifetime, leeway }: { readonly accessTokenLifetime: number; readonly leeway: number },
): number {
  return Math.max(longestAccess, accessTokenLifetime) + leeway + clockMargin;
}

/**
 * Returns when a record stops verifying, in whole seconds since the epoch. For a retired record, this time is in the past.
 * A record without such a time stops `verifyingTime` seconds after the next record begins to sign.
 *
 * @param records all records of the same use, in the order in which they begin to sign.
 * @returns the time, or `null` if nothing replaces the record.
 */
export function findEnd(record: KeyRecord, records: readonly KeyRecord[], verifyingTime: number): number | null {
  const stated = record.retiredAt ?? record.retireAt;
  if (stated !== null) return stated;
  const next = records.find((other) => bySigning(other, record) > 0 && hasSigned(other));
  return next === undefined ? null : next.signsFrom + verifyingTime;
}

/**
 * Returns whether a record signs, has signed or will sign. This is false only if it was retired while it was only
 * published.
 */
function hasSigned({ signsFrom, retiredAt }: KeyRecord): boolean {
  return retiredAt === null || retiredAt > signsFrom;
}

/**
 * Returns the state of each access key by its `kid`.
 *
 * @param records access records, in the order of `toAccessRecords`.
 * @param signsInRing whether a key in the database signs. If false, a key in a setting signs.
 */
export function toAccessStates(
  records: readonly KeyRecord[],
  {
    now,
    verifyingTime,
    signsInRing,
  }: { readonly now: number; readonly verifyingTime: number; readonly signsInRing: boolean },
): ReadonlyMap<string, KeyState> {
  const signer = signsInRing ? findSigner(records, now) : null;
  return new Map(
    records.map((record) => {
      if (record.kid === signer?.kid) return [record.kid, "signing"];
      if (record.retiredAt !== null) return [record.kid, "retired"];
      if (record.sealed === null) return [record.kid, "configured"];
      const end = findEnd(record, records, verifyingTime);
      if (end !== null && end <= now) return [record.kid, "retired"];
      return [record.kid, record.signsFrom > now ? "published" : "verifying"];
    }),
  );
}
