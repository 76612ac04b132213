import type { ClientInfo } from "../../core/client-info.ts";
import type { KeyChange, KeyRecord, KeyRecords, KeyUpdate } from "../../core/store/keys.ts";
import type { AuthEvent } from "../../events/events.ts";
import { toKeyEvents } from "../../keys/key-events.ts";
import { toKeyRecord } from "../../keys/missing.ts";
import { type NewRecord, refreshAlgorithm } from "../../keys/ring.ts";
import { firstSecret } from "../../keys/secrets.ts";
import {
  findEnd,
  findPublished,
  findSigner,
  isSealed,
  publishLead,
  secretLead,
  toAccessRecords,
  toSecretRecords,
} from "../../keys/states.ts";

/*
 * What the commands about keys do to the key ring. All of these functions are pure: they look at the records of one moment, and
 * times are the database's.
 */

/** A change of the key ring with its events, or the reason why nothing is changed. */
export type KeyDecision<R> =
  | KeyRefusal
  | { readonly change: KeyChange; readonly events: readonly AuthEvent[]; readonly result: R };

/** The reason why nothing is changed: a sentence for the operator, without a full stop. */
export interface KeyRefusal {
  readonly refusal: string;
}

/** The signing key after a rotation or a retirement. Times are whole seconds since the epoch. */
export interface NextKey {
  readonly kid: string;
  readonly algorithm: string;
  /** The time from which the key signs. */
  readonly signsFrom: number;
}

/** A key that will no longer verify. */
export interface RetiredKey {
  readonly kid: string;
  /** The time until which the key's tokens are accepted. It is not in the future if the key was retired immediately. */
  readonly retireAt: number;
}

/** The result of a rotation. */
export interface RotatedKeys {
  readonly next: NextKey;
  /** The key that is replaced, or `null` if there was none. */
  readonly replaced: RetiredKey | null;
}

/** The result of a retirement. */
export interface RetiredKeys {
  readonly retired: RetiredKey;
  /** The key that will sign instead, or `null` if the retired key didn't sign. */
  readonly next: NextKey | null;
  /**
   * Whether the key's tokens are refused from now on. Also true for a key that was only published, because it has signed no
   * tokens.
   */
  readonly isOver: boolean;
}

/** The facts that decisions about access keys depend on. */
export interface AccessRules {
  /** Whether the change takes effect immediately. */
  readonly isImmediate: boolean;
  /** How long a replaced key verifies, in seconds: the result of `toVerifyingTime`. */
  readonly verifyingTime: number;
  /** Creates and encrypts the next key. */
  readonly makeKey: () => NewRecord;
  readonly client: ClientInfo;
}

/**
 * Decides about a rotation. The next key is published first, and signs as soon as every JWKS cache has it. With
 * `isImmediate`, it signs immediately. If a next key is already published, that key is used.
 */
export function decideRotation(
  records: KeyRecords,
  { isImmediate, verifyingTime, makeKey, client }: AccessRules,
): KeyDecision<RotatedKeys> {
  const { now } = records;
  const stored = toAccessRecords(records);
  const signer = findSigner(stored, now);
  const [published] = findPublished(stored, signer);
  if (published !== undefined && !isImmediate) {
    return { refusal: `the key ${published.kid} is published and will sign soon; let it sign now with --now` };
  }
  const signsFrom = after(signer, signer === null || isImmediate ? now : now + publishLead);
  const added = published === undefined ? toKeyRecord(makeKey(), now, signsFrom) : null;
  const { kid, algorithm } = added ?? (published as KeyRecord);
  const replaced = signer === null ? null : { kid: signer.kid, retireAt: signsFrom + verifyingTime };
  const change = toChange(added, [
    ...(added === null ? [{ kid, signsFrom }] : []),
    ...(replaced === null ? [] : [replaced]),
  ]);
  return {
    change,
    events: toKeyEvents(change, records, client),
    result: { next: { kid, algorithm, signsFrom }, replaced },
  };
}

/** The facts that a decision about retiring a key depends on. */
export interface RetirementRules extends AccessRules {
  /** Whether a key of the ring signs. If false, a key in the setting `signingKey` signs. */
  readonly signsInRing: boolean;
}

/**
 * Decides about retiring a key. Tokens that the key has signed are accepted until they expire. With `isImmediate`, they are
 * refused from now on and the next key signs immediately. If there is no next key, one is created.
 */
export function decideRetirement(records: KeyRecords, kid: string, rules: RetirementRules): KeyDecision<RetiredKeys> {
  const { now, keys } = records;
  const record = keys.find((key) => key.kid === kid);
  if (record === undefined) return { refusal: `no key ${kid}; list all with \`tokenpair keys list\`` };
  if (record.use === "secret")
    return { refusal: `${kid} is a secret; replace it with \`tokenpair keys rotate --secret\`` };
  if (record.retiredAt !== null) return { refusal: `the key ${kid} is retired already` };
  if (!isSealed(record)) return { refusal: `the key ${kid} is in the setting signingKey; set another key there` };

  const stored = toAccessRecords(records);
  const signer = rules.signsInRing ? findSigner(stored, now) : null;
  const others = findPublished(stored, signer).filter((key) => key !== record && key.signsFrom > now);
  const isUnused = record !== signer && record.signsFrom > now;
  if (rules.isImmediate || isUnused) return retireAtOnce(records, record, { ...rules, signer, others });
  if (record !== signer) {
    const retireAt = findEnd(record, stored, rules.verifyingTime) ?? now + rules.verifyingTime;
    return retired(records, rules, {
      updates: [{ kid, retireAt }],
      retired: { kid, retireAt },
      next: null,
      isOver: false,
    });
  }
  const [next] = others;
  if (next === undefined) return { refusal: `${kid} is the only key; add the next one with \`tokenpair keys rotate\`` };
  const retireAt = next.signsFrom + rules.verifyingTime;
  return retired(records, rules, {
    updates: [{ kid, retireAt }],
    retired: { kid, retireAt },
    next: toNext(next, next.signsFrom),
    isOver: false,
  });
}

interface Surroundings extends RetirementRules {
  /** The key of the ring that now signs, or `null` if there is none. */
  readonly signer: KeyRecord | null;
  /** The published keys, except the one that is retired. */
  readonly others: readonly KeyRecord[];
}

function retireAtOnce(
  records: KeyRecords,
  record: KeyRecord,
  { signer, others, ...rules }: Surroundings,
): KeyDecision<RetiredKeys> {
  const { now } = records;
  const { kid } = record;
  const end: KeyUpdate = { kid, sealed: null, kekId: null, retiredAt: now };
  const [published] = others;
  if (record !== signer) {
    // The signing key was to stop when this one began.
    const retireAt = published === undefined ? null : published.signsFrom + rules.verifyingTime;
    const isSuccessor = signer !== null && record.signsFrom > now && signer.retireAt !== retireAt;
    const updates = isSuccessor ? [end, { kid: signer.kid, retireAt }] : [end];
    return retired(records, rules, { updates, retired: { kid, retireAt: now }, next: null, isOver: true });
  }
  const last = toAccessRecords(records).findLast((key) => key !== record && key.signsFrom <= now && isSealed(key));
  const signsFrom = after(last ?? null, now);
  if (published !== undefined) {
    return retired(records, rules, {
      updates: [end, { kid: published.kid, signsFrom }],
      retired: { kid, retireAt: now },
      next: toNext(published, signsFrom),
      isOver: true,
    });
  }
  const added = toKeyRecord(rules.makeKey(), now, signsFrom);
  return retired(records, rules, {
    updates: [end],
    added,
    retired: { kid, retireAt: now },
    next: toNext(added, signsFrom),
    isOver: true,
  });
}

interface Retirement extends RetiredKeys {
  readonly updates: readonly KeyUpdate[];
  readonly added?: KeyRecord;
}

function retired(
  records: KeyRecords,
  { client }: AccessRules,
  { updates, added, ...result }: Retirement,
): KeyDecision<RetiredKeys> {
  const change = toChange(added ?? null, updates);
  return { change, events: toKeyEvents(change, records, client), result };
}

/** The facts that a decision about a new secret depends on. */
export interface SecretRules {
  /** Whether everything that was signed with the older secrets is refused from now on. */
  readonly isImmediate: boolean;
  /** Creates and encrypts a secret with this name. */
  readonly makeSecret: (kid: string) => NewRecord;
  readonly client: ClientInfo;
}

/**
 * Decides about rotating the installation's secret. The older secrets verify until the last refresh token has expired. With
 * `isImmediate`, they no longer verify, so all users must log in again.
 */
export function decideSecretRotation(
  records: KeyRecords,
  { isImmediate, makeSecret, client }: SecretRules,
): KeyDecision<NextKey> {
  const { now, ownRefreshSince } = records;
  if (ownRefreshSince === null) {
    return { refusal: "refresh tokens are signed as in version 0.1; run `tokenpair keys adopt` first" };
  }
  const stored = toSecretRecords(records);
  const published = stored.find((record) => isSealed(record) && record.signsFrom > now);
  if (published !== undefined && !isImmediate) return { refusal: `the secret ${published.kid} will sign in a moment` };
  const number = Math.max(1, ...stored.map(({ kid }) => Number(/^r(\d{1,9})$/.exec(kid)?.[1] ?? 0))) + 1;
  const signsFrom = after(stored.at(-1) ?? null, isImmediate ? now : now + secretLead);
  const added = toKeyRecord(makeSecret(`r${number}`), now, signsFrom);
  const { kid, algorithm } = added;
  const add =
    isImmediate && stored.every((record) => record.kid !== firstSecret) ? [retiredFirst(now), added] : [added];
  const live = isImmediate ? stored.filter(({ retiredAt }) => retiredAt === null) : [];
  const update = live.map((record) => ({ kid: record.kid, sealed: null, kekId: null, retiredAt: now }));
  return {
    change: { add, ...(update.length === 0 ? {} : { update }) },
    events: [{ type: "secret_rotated", time: now, kid, isImmediate, client }],
    result: { kid, algorithm, signsFrom },
  };
}

/** Returns the record that retires the first secret. That secret is in a setting, so it has no record yet. */
function retiredFirst(now: number): KeyRecord {
  const nothing = { publicJwk: null, sealed: null, kekId: null };
  const record = { kid: firstSecret, use: "secret", algorithm: refreshAlgorithm, ...nothing } as const;
  return { ...toKeyRecord(record, now, 0), retiredAt: now };
}

/**
 * Returns `time`, or the second after `record` began to sign if that is later. No two keys may begin in the same second.
 */
function after(record: KeyRecord | null, time: number): number {
  return record === null ? time : Math.max(time, record.signsFrom + 1);
}

function toNext({ kid, algorithm }: KeyRecord, signsFrom: number): NextKey {
  return { kid, algorithm, signsFrom };
}

function toChange(added: KeyRecord | null, update: readonly KeyUpdate[]): KeyChange {
  return { ...(added === null ? {} : { add: [added] }), ...(update.length === 0 ? {} : { update }) };
}
