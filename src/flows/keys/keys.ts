import type { ClientInfo } from "../../core/client-info.ts";
import type { Random } from "../../core/runtime/random.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { Guard } from "../../core/store/guard.ts";
import type { Store } from "../../core/store/index.ts";
import type { KeyRecords } from "../../core/store/keys.ts";
import type { Keks } from "../../crypto/keys/key-encryption.ts";
import { generateKeyMaterial } from "../../crypto/keys/key-material.ts";
import { createSecretRecord } from "../../keys/missing.ts";
import { retryChange } from "../../keys/retry-change.ts";
import { type NewRecord, openRing, resealRing, toAccessRecord } from "../../keys/ring.ts";
import { toAccessRecords, toVerifyingTime } from "../../keys/states.ts";
import { type CommitDeps, commit } from "../commit.ts";
import {
  decideRetirement,
  decideRotation,
  decideSecretRotation,
  type KeyDecision,
  type KeyRefusal,
  type NextKey,
  type RetiredKeys,
  type RotatedKeys,
} from "./rules.ts";

/** The dependencies of the flows about keys. */
export interface KeyDeps extends CommitDeps {
  readonly store: Pick<Store, "keys">;
  readonly settings: Pick<Settings, "accessTokenLifetime" | "leeway" | "algorithm">;
  readonly random: Random;
}

/** The options of a change of the key ring. */
export interface KeyOptions {
  /** Whether the change takes effect immediately. */
  readonly isImmediate: boolean;
  /** The key encryption keys, which encrypt and decrypt the keys. */
  readonly keks: Keks;
  readonly client: ClientInfo;
  /** Decides in the transaction whether the change is allowed. Default: it is allowed. */
  readonly guard?: Guard | undefined;
}

/** The options of `retireKey`. */
export interface RetireOptions extends KeyOptions {
  /** Whether a key of the ring signs. If false, a key in the setting `signingKey` signs. */
  readonly signsInRing: boolean;
}

/**
 * Adds the next key that signs access tokens. The key that now signs continues to verify until its last token has expired.
 *
 * @throws SettingError if `keyEncryptionKey` can't decrypt the keys.
 * @throws StoreUnavailableError if the store can't answer.
 */
export function rotateKeys(deps: KeyDeps, options: KeyOptions): Promise<RotatedKeys | KeyRefusal> {
  const { guard, ...rest } = options;
  const makeKey = toKeyMaker(deps, rest.keks);
  const decide = (records: KeyRecords) => {
    // Keys that these nodes can't open must not be mixed with keys that they can.
    openRing(records, rest.keks);
    return decideRotation(records, { ...rest, verifyingTime: findVerifyingTime(deps, records), makeKey });
  };
  return change(deps, decide, guard);
}

/**
 * Retires a key of the ring.
 *
 * @throws StoreUnavailableError if the store can't answer.
 */
export function retireKey(deps: KeyDeps, kid: string, options: RetireOptions): Promise<RetiredKeys | KeyRefusal> {
  const { guard, ...rest } = options;
  const makeKey = toKeyMaker(deps, rest.keks);
  const decide = (records: KeyRecords) =>
    decideRetirement(records, kid, { ...rest, verifyingTime: findVerifyingTime(deps, records), makeKey });
  return change(deps, decide, guard);
}

/**
 * Adds the next secret of the installation. The keys of refresh, CSRF and device tokens are derived from it.
 *
 * @throws SettingError if `keyEncryptionKey` can't decrypt the keys.
 * @throws StoreUnavailableError if the store can't answer.
 */
export function rotateSecret(deps: KeyDeps, options: KeyOptions): Promise<NextKey | KeyRefusal> {
  const { keks, isImmediate, client } = options;
  const makeSecret = (kid: string) => createSecretRecord(keks, kid, deps.random);
  return change(deps, (records) => {
    // At once, the older secrets are deleted, so they needn't open: their key encryption key may be lost.
    openRing(isImmediate ? { keys: toAccessRecords(records) } : records, keks);
    return decideSecretRotation(records, { isImmediate, client, makeSecret });
  });
}

/**
 * Gives refresh tokens their own key. From now on, nodes of version 0.1 refuse them.
 *
 * @returns whether this is new: false if refresh tokens already had their own key.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function adoptRefreshKey(deps: KeyDeps, client: ClientInfo): Promise<{ readonly isNew: boolean }> {
  return change<{ readonly isNew: boolean }>(deps, ({ ownRefreshSince, now }) => {
    if (ownRefreshSince !== null) return { result: { isNew: false } };
    const events = [{ type: "refresh_key_adopted", time: now, client }] as const;
    return { change: { ownRefreshSince: now }, events, result: { isNew: true } };
  });
}

/**
 * Encrypts every key and secret with the first key encryption key.
 *
 * @returns how many of them were encrypted with a different key.
 * @throws SettingError if `keyEncryptionKey` lacks a key that is needed to decrypt.
 * @throws StoreUnavailableError if the store can't answer.
 */
export function rewrapKeys(
  deps: KeyDeps,
  { keks, client }: Pick<KeyOptions, "keks" | "client">,
): Promise<{ readonly keys: number }> {
  return change(deps, (records) => {
    openRing(records, keks);
    const update = resealRing(records, keks);
    const result = { keys: update.length };
    if (update.length === 0) return { result };
    const event = { type: "keys_rewrapped", time: records.now, kekId: keks.id, ...result, client } as const;
    return { change: { update }, events: [event], result };
  });
}

/**
 * Returns how long a replaced key must verify, in seconds. It uses the lifetime that the nodes have set. The settings of a
 * command may differ, so they are used only if no node has run yet.
 */
function findVerifyingTime({ settings }: KeyDeps, records: KeyRecords): number {
  const accessTokenLifetime = records.longestAccess > 0 ? records.longestAccess : settings.accessTokenLifetime;
  return toVerifyingTime(records, { ...settings, accessTokenLifetime });
}

/** Decides about a change and commits it. If another process has changed the keys in between, decides again. */
async function change<R extends object>(
  deps: KeyDeps,
  decide: (records: KeyRecords) => Exclude<KeyDecision<R>, KeyRefusal> | { readonly result: R },
  guard?: Guard,
): Promise<R>;
async function change<R extends object>(
  deps: KeyDeps,
  decide: (records: KeyRecords) => KeyDecision<R>,
  guard?: Guard,
): Promise<R | KeyRefusal>;
async function change<R extends object>(
  deps: KeyDeps,
  decide: (records: KeyRecords) => KeyDecision<R> | { readonly result: R },
  guard?: Guard,
): Promise<R | KeyRefusal> {
  return retryChange(async () => {
    const records = await deps.store.keys.read();
    const decision = decide(records);
    if ("refusal" in decision) return decision;
    if (!("change" in decision)) return decision.result;
    const { change: decided, events, result } = decision;
    const applied = await commit(
      deps,
      () => events,
      async (audit) => ((await deps.store.keys.change(records.version, decided, audit, guard)) ? decided : null),
    );
    return applied === null ? null : result;
  });
}

/** Returns a function that creates a key at its first call and returns the same key at later calls. */
function toKeyMaker({ settings }: KeyDeps, keks: Keks): () => NewRecord {
  let made: NewRecord | null = null;
  return () => {
    made ??= toAccessRecord(keks, generateKeyMaterial(settings.algorithm ?? "ES256"));
    return made;
  };
}
