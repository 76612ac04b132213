import { clockMargin } from "../core/revocation-horizon.ts";
import type { KeyRecord, KeyRecords } from "../core/store/keys.ts";

/**
 * What a key is used for now. `published`: services may know it already, but it doesn't sign yet. `signing`: it signs, and is the
 * only one. `verifying`: another key has replaced it, and its tokens may still be valid. `retired`: none of its tokens is accepted.
 * `configured`: it is in a setting of the nodes, and the database only knows since when.
 */
export type KeyState = "published" | "signing" | "verifying" | "retired" | "configured";

/** Seconds for which a new access key is only published: the `max-age` of the JWKS, and a minute for its readers' clocks. */
export const publishLead = 360;

/** Seconds for which a new secret is only accepted, so that every node knows it before one signs with it. */
export const secretLead = 60;

/** A record whose private key or secret is in the database. */
export type SealedRecord = KeyRecord & { readonly sealed: Uint8Array; readonly kekId: string };

/** Returns whether the database holds the record's private key or secret. A retired record has none. */
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

/** The same order on every node, also for keys that were made in the same second. */
function bySigning(a: KeyRecord, b: KeyRecord): number {
  // 0 for a record and itself, which must not count as its own successor.
  return a.signsFrom - b.signsFrom || Number(a.kid > b.kid) - Number(a.kid < b.kid);
}

/**
 * Returns the access key of the database that signs: of those that may sign already, the last one to begin. If all of them are
 * only published, the first one signs, because a node without a key can't work.
 *
 * @param records access records, in the order of `toAccessRecords`.
 * @returns `null` if the database holds no key.
 */
export function findSigner(records: readonly KeyRecord[], now: number): SealedRecord | null {
  const sealed = records.filter(isSealed);
  return sealed.findLast(({ signsFrom }) => signsFrom <= now) ?? sealed[0] ?? null;
}

/** Returns the sealed keys that begin to sign later than `signer`, which is the one that signs now. */
export function findPublished(records: readonly KeyRecord[], signer: KeyRecord | null): readonly SealedRecord[] {
  const sealed = records.filter(isSealed);
  return signer === null ? sealed : sealed.filter((record) => bySigning(record, signer) > 0);
}

/**
 * Returns for how many seconds a replaced access key still verifies: until its last token has expired on every clock.
 *
 * @param shortest the `accessTokenLifetime` of the caller, which may not be in the records yet.
 */
export function toVerifyingTime(
  { longestAccess }: Pick<KeyRecords, "longestAccess">,
  { accessTokenLifetime, leeway }: { readonly accessTokenLifetime: number; readonly leeway: number },
): number {
  return Math.max(longestAccess, accessTokenLifetime) + leeway + clockMargin;
}

/**
 * Returns when a record stops verifying: whole seconds since the epoch, in the past for a retired one. A record without
 * such a time stops `verifyingTime` seconds after the next record begins to sign.
 *
 * @param records all records of the same use, in the order in which they begin to sign.
 * @returns `null` if nothing replaces the record.
 */
export function findEnd(record: KeyRecord, records: readonly KeyRecord[], verifyingTime: number): number | null {
  const stated = record.retiredAt ?? record.retireAt;
  if (stated !== null) return stated;
  const next = records.find((other) => bySigning(other, record) > 0 && hasSigned(other));
  return next === undefined ? null : next.signsFrom + verifyingTime;
}

/** Returns whether a record signs, has signed or will sign: it wasn't retired while it was only published. */
function hasSigned({ signsFrom, retiredAt }: KeyRecord): boolean {
  return retiredAt === null || retiredAt > signsFrom;
}

/**
 * Returns the state of each access key by its `kid`.
 *
 * @param records access records, in the order of `toAccessRecords`.
 * @param signsInRing whether a key of the database signs; false: a key in a setting does.
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
