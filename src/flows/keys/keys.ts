import type { ClientInfo } from "../../core/client-info.ts";
import { StoreUnavailableError } from "../../core/errors.ts";
import type { Random } from "../../core/runtime/random.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { Store } from "../../core/store/index.ts";
import type { KeyRecords } from "../../core/store/keys.ts";
import type { Keks } from "../../crypto/keys/key-encryption.ts";
import { generateKeyMaterial } from "../../crypto/keys/key-material.ts";
import { createSecretRecord } from "../../keys/missing.ts";
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

/** What the flows about keys work with. */
export interface KeyDeps extends CommitDeps {
  readonly store: Pick<Store, "keys">;
  readonly settings: Pick<Settings, "accessTokenLifetime" | "leeway" | "algorithm">;
  readonly random: Random;
}

/** How to change the key ring. */
export interface KeyOptions {
  /** Whether it takes effect at once. */
  readonly isImmediate: boolean;
  /** What opens and seals the keys. */
  readonly keks: Keks;
  readonly client: ClientInfo;
}

/** How to retire a key. */
export interface RetireOptions extends KeyOptions {
  /** Whether a key of the ring signs; false: a key in the setting `signingKey` does. */
  readonly signsInRing: boolean;
}

/**
 * Adds the next key that signs access tokens. The one that signs now verifies until its last token has expired.
 *
 * @throws SettingError about `keyEncryptionKey`; StoreUnavailableError.
 */
export function rotateKeys(deps: KeyDeps, options: KeyOptions): Promise<RotatedKeys | KeyRefusal> {
  const makeKey = toKeyMaker(deps, options.keks);
  return change(deps, (records) => {
    // Keys that these nodes can't open must not be mixed with keys that they can.
    openRing(records, options.keks);
    return decideRotation(records, { ...options, verifyingTime: findVerifyingTime(deps, records), makeKey });
  });
}

/**
 * Retires a key of the ring.
 *
 * @throws StoreUnavailableError
 */
export function retireKey(deps: KeyDeps, kid: string, options: RetireOptions): Promise<RetiredKeys | KeyRefusal> {
  const makeKey = toKeyMaker(deps, options.keks);
  return change(deps, (records) =>
    decideRetirement(records, kid, {
      ...options,
      verifyingTime: findVerifyingTime(deps, records),
      makeKey,
    }),
  );
}

/**
 * Adds the next secret of the installation, from which the keys of refresh, CSRF and device tokens derive.
 *
 * @throws SettingError about `keyEncryptionKey`; StoreUnavailableError.
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
 * Gives refresh tokens their own key: nodes of version 0.1 refuse them from now on.
 *
 * @returns whether they had none before.
 * @throws StoreUnavailableError
 */
export async function adoptRefreshKey(deps: KeyDeps, client: ClientInfo): Promise<{ readonly isNew: boolean }> {
  return change<{ readonly isNew: boolean }>(deps, ({ ownRefreshSince, now }) => {
    if (ownRefreshSince !== null) return { result: { isNew: false } };
    const events = [{ type: "refresh_key_adopted", time: now, client }] as const;
    return { change: { ownRefreshSince: now }, events, result: { isNew: true } };
  });
}

/**
 * Seals every key and secret under the first key encryption key.
 *
 * @returns how many were sealed by another one.
 * @throws SettingError about `keyEncryptionKey`, if it lacks one that is needed; StoreUnavailableError.
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

/** What the nodes have set counts. The settings of a command may be others, so they count only before the first node has run. */
function findVerifyingTime({ settings }: KeyDeps, records: KeyRecords): number {
  const accessTokenLifetime = records.longestAccess > 0 ? records.longestAccess : settings.accessTokenLifetime;
  return toVerifyingTime(records, { ...settings, accessTokenLifetime });
}

/** How often a change is decided again because another process has changed the keys meanwhile. */
const maxTries = 20;

/** Decides and commits; decides again if another process has changed the keys in between. */
async function change<R extends object>(
  deps: KeyDeps,
  decide: (records: KeyRecords) => Exclude<KeyDecision<R>, KeyRefusal> | { readonly result: R },
): Promise<R>;
async function change<R extends object>(
  deps: KeyDeps,
  decide: (records: KeyRecords) => KeyDecision<R>,
): Promise<R | KeyRefusal>;
async function change<R extends object>(
  deps: KeyDeps,
  decide: (records: KeyRecords) => KeyDecision<R> | { readonly result: R },
): Promise<R | KeyRefusal> {
  for (let tries = 0; tries < maxTries; tries++) {
    const records = await deps.store.keys.read();
    const decision = decide(records);
    if ("refusal" in decision) return decision;
    if (!("change" in decision)) return decision.result;
    const { change: decided, events, result } = decision;
    const applied = await commit(
      deps,
      () => events,
      async (audit) => ((await deps.store.keys.change(records.version, decided, audit)) ? decided : null),
    );
    if (applied !== null) return result;
  }
  throw new StoreUnavailableError("keys.change: the keys were changed again and again");
}

/** Returns a function that makes a key at its first call, and returns the same one later. */
function toKeyMaker({ settings }: KeyDeps, keks: Keks): () => NewRecord {
  let made: NewRecord | null = null;
  return () => {
    made ??= toAccessRecord(keks, generateKeyMaterial(settings.algorithm ?? "ES256"));
    return made;
  };
}
