import type { Settings } from "../core/settings/settings.ts";
import type { KeyRecords } from "../core/store/keys.ts";
import { hmacAlgorithms, isHmac } from "../crypto/keys/algorithms.ts";
import { deriveSecrets } from "../crypto/keys/derived-keys.ts";
import { createHmacKey } from "../crypto/keys/hmac-key.ts";
import { type Jwks, toJwks } from "../crypto/keys/jwks.ts";
import { type KeyMaterial, toSigningKey } from "../crypto/keys/key-material.ts";
import { createKeySet, type KeySet } from "../crypto/keys/key-set.ts";
import type { KeyUse, SigningKey } from "../crypto/keys/signing-key.ts";
import { type GivenKeys, isSameSecret } from "./given-keys.ts";
import type { OpenedRing } from "./ring.ts";
import { findMaker, firstSecret, type LiveSecret, toLiveSecrets, toRefreshLife } from "./secrets.ts";
import { findEnd, findSigner, toAccessRecords, toVerifyingTime } from "./states.ts";

/** The keys of a node at one point in time. A snapshot never changes. Different keys are a different snapshot. */
export interface KeySnapshot {
  /** The keys that sign and verify tokens. */
  readonly tokens: KeySet;
  /**
   * The names, algorithms and uses of these keys, as one text. Two snapshots with the same text and the same secrets accept
   * the same tokens.
   */
  readonly names: string;
  /** The HMAC keys of CSRF tokens. The first key creates new tokens, and all keys verify. */
  readonly csrfKeys: NewestFirst;
  /** The AES keys of device tokens. The first key encrypts new tokens, and all keys decrypt. */
  readonly deviceKeys: NewestFirst;
  /** The public keys. */
  readonly jwks: Jwks;
  /**
   * When the key that signs access tokens was added, in whole seconds since the epoch. `null` if the database doesn't know.
   */
  readonly signingSince: number | null;
  /** The version of the records from which the snapshot was created. */
  readonly version: number;
  /**
   * When the snapshot must be created again, in whole seconds since the epoch on the database's clock. `null` means never.
   */
  readonly until: number | null;
}

/** A list of at least one key, newest first. */
type NewestFirst = readonly [Uint8Array, ...Uint8Array[]];

/** The settings that a snapshot depends on. */
export type KeySettings = Pick<
  Settings,
  "accessTokenLifetime" | "refreshTokenLifetime" | "sessionLifetime" | "rotateRefreshTokens" | "leeway"
>;

/** Collects the times at which a key starts or stops being used. */
interface Boundaries {
  /** Returns whether a time is in the future. `null` always counts as in the future. */
  isBefore(time: number | null): boolean;
  /** Returns the earliest of the collected times that are in the future. */
  next(): number | null;
}

function createBoundaries(now: number): Boundaries {
  let next: number | null = null;
  return {
    isBefore(time) {
      if (time === null) return true;
      if (time <= now) return false;
      next = next === null ? time : Math.min(next, time);
      return true;
    },
    next: () => next,
  };
}

/** The sources of a snapshot. */
export interface SnapshotSources {
  readonly records: KeyRecords;
  readonly opened: OpenedRing;
  readonly settings: KeySettings;
}

/**
 * Creates the snapshot for the time at which the records were read.
 *
 * @throws SettingError for `secret` if it differs from the secret in the database.
 * @throws Error if no key signs or no secret is left. `toMissing` prevents this.
 */
export function toKeySnapshot(given: GivenKeys, { records, opened, settings }: SnapshotSources): KeySnapshot {
  const { now, version } = records;
  const boundaries = createBoundaries(now);
  const refreshLife = toRefreshLife(settings);
  const secrets = toLiveSecrets(given, records, { opened, refreshLife });
  const maker = findMaker(secrets, now);
  const access = toAccessKeys(given, { records, opened, settings }, boundaries);
  if (maker === null || access.signing === null) throw new Error("no key signs");
  for (const time of secrets.flatMap(({ signsFrom, end }) => [signsFrom, end])) boundaries.isBefore(time);

  const former = toFormerKeys(given, { records, settings, secrets, refreshLife }, boundaries);
  const signing = toSigningKey(access.signing, { use: toSigningUse(given, former) });
  const refresh = records.ownRefreshSince === null ? findFormerSigner(signing, former.keys) : null;
  const first = toDerivedKeys(maker);
  const others = secrets.filter((secret) => secret !== maker).map(toDerivedKeys);
  const signers = { access: signing, refresh: refresh ?? first.refreshKey };
  const verifying = access.verifying.map((material) => toSigningKey(material, { use: "access" }));
  const ownRefresh = [first, ...others].map(({ refreshKey }) => refreshKey);
  const verifiers = withoutSame([...ownRefresh, ...former.keys, ...verifying], signers);
  return Object.freeze<KeySnapshot>({
    tokens: createKeySet({ ...signers, others: verifiers }),
    names: [signers.access, signers.refresh, ...verifiers]
      .map(({ kid, algorithm, use }) => `${kid} ${algorithm} ${use}`)
      .join(),
    csrfKeys: [first.csrfKey, ...others.map(({ csrfKey }) => csrfKey)],
    deviceKeys: [first.deviceKey, ...others.map(({ deviceKey }) => deviceKey)],
    jwks: toJwks([access.signing, ...access.verifying]),
    signingSince: records.keys.find(({ kid }) => kid === access.signing?.kid)?.createdAt ?? null,
    version,
    until: boundaries.next(),
  });
}

/**
 * Returns the snapshot of a node that has only an HMAC signing key and hasn't read the database yet. It verifies access
 * tokens. Refresh tokens in the form of version 0.1 are refused until the node has read from the database whether they are
 * still allowed.
 */
export function toFirstSnapshot({ signing, signingSecret }: GivenKeys): KeySnapshot | null {
  if (signing === null || signingSecret === null) return null;
  const { csrfKey, deviceKey, refreshKey } = toDerivedKeys({ kid: firstSecret, secret: signingSecret });
  return Object.freeze<KeySnapshot>({
    tokens: createKeySet({ access: toSigningKey(signing, { use: "access" }), refresh: refreshKey }),
    names: "",
    csrfKeys: [csrfKey],
    deviceKeys: [deviceKey],
    jwks: toJwks([]),
    signingSince: null,
    version: -1,
    until: null,
  });
}

function toDerivedKeys({ kid, secret }: Pick<LiveSecret, "kid" | "secret">) {
  const { csrfKey, deviceKey, refreshKey } = deriveSecrets(secret);
  return { csrfKey, deviceKey, refreshKey: refreshKey(kid) };
}

interface AccessKeys {
  readonly signing: KeyMaterial | null;
  /** The keys that another key has replaced, and the keys that will sign later. */
  readonly verifying: readonly KeyMaterial[];
}

function toAccessKeys(
  { signing: fixed }: GivenKeys,
  { records, opened, settings }: SnapshotSources,
  boundaries: Boundaries,
): AccessKeys {
  const stored = toAccessRecords(records);
  const verifyingTime = toVerifyingTime(records, settings);
  const signer = fixed === null ? findSigner(stored, records.now) : null;
  const signing = fixed ?? opened.access.get(signer?.kid ?? "") ?? null;
  const verifying = stored.flatMap((record) => {
    const material = opened.access.get(record.kid);
    if (material === undefined || material.kid === signing?.kid) return [];
    boundaries.isBefore(record.signsFrom);
    return boundaries.isBefore(findEnd(record, stored, verifyingTime)) ? [material] : [];
  });
  return { signing, verifying };
}

interface FormerKeys {
  /**
   * The HMAC keys of the first secret, under the names that version 0.1 gave them. Empty if the signing key is that secret.
   */
  readonly keys: readonly SigningKey[];
  /** Whether refresh tokens in the form of version 0.1 are accepted. */
  readonly allowsRefresh: boolean;
}

interface FormerSources {
  readonly records: KeyRecords;
  readonly settings: KeySettings;
  readonly secrets: readonly LiveSecret[];
  readonly refreshLife: number;
}

/**
 * Returns the keys of tokens from version 0.1. Access tokens are accepted until all those have expired that were issued
 * before another key began to sign. Refresh tokens are accepted until all those have expired that were issued before
 * refresh tokens got their own key.
 */
function toFormerKeys(
  { signing, signingSecret }: GivenKeys,
  { records, settings, secrets, refreshLife }: FormerSources,
  boundaries: Boundaries,
): FormerKeys {
  const { ownRefreshSince } = records;
  const first = secrets.find(({ kid }) => kid === firstSecret);
  // 0: no refresh token of that form was ever made here, so only a service with the same secret could present one.
  const lastRefresh =
    ownRefreshSince === null || ownRefreshSince === 0 ? ownRefreshSince : ownRefreshSince + refreshLife;
  const allowsRefresh = first !== undefined && boundaries.isBefore(lastRefresh);
  const isSigningKey = signingSecret !== null && first !== undefined && isSameSecret(first.secret, signingSecret);
  // A secret that a node made has never signed in the form of version 0.1.
  if (first === undefined || isSigningKey || (first.isFromRing && ownRefreshSince !== null)) {
    return { keys: [], allowsRefresh };
  }
  const [firstRecord] = toAccessRecords(records);
  const lastAccess = firstRecord === undefined ? null : firstRecord.signsFrom + toVerifyingTime(records, settings);
  const use = toUse({ access: boundaries.isBefore(lastAccess), refresh: allowsRefresh });
  const keys = use === null ? [] : toHmacKeys(first.secret, use);
  return { keys: keys.filter(({ kid }) => kid !== signing?.kid), allowsRefresh };
}

function toUse({ access, refresh }: { readonly access: boolean; readonly refresh: boolean }): KeyUse | null {
  if (access && refresh) return "both";
  return access ? "access" : refresh ? "refresh" : null;
}

/**
 * Returns the keys for all HMAC algorithms, because it isn't known which of them version 0.1 used. Each key has its own
 * name. The first one is for HS256.
 */
function toHmacKeys(secret: Uint8Array, use: KeyUse): readonly SigningKey[] {
  return (["HS256", "HS384", "HS512"] as const)
    .filter((algorithm) => secret.length >= hmacAlgorithms[algorithm].bytes)
    .map((algorithm) => createHmacKey({ algorithm, secret, use }));
}

/**
 * Returns which tokens the signing key signs. An HMAC key in the setting `signingKey` has the form of version 0.1: it signs
 * both kinds of token as long as refresh tokens of that form are allowed.
 */
function toSigningUse({ signing }: GivenKeys, { allowsRefresh }: FormerKeys): KeyUse {
  return signing !== null && isHmac(signing.algorithm) && allowsRefresh ? "both" : "access";
}

/** Returns the key that signs refresh tokens like version 0.1, or `null` if there is none. */
function findFormerSigner(signing: SigningKey, former: readonly SigningKey[]): SigningKey | null {
  if (signing.use === "both") return signing;
  return former.find(({ use }) => use !== "access") ?? null;
}

function withoutSame(
  keys: readonly SigningKey[],
  { access, refresh }: { readonly access: SigningKey; readonly refresh: SigningKey },
): readonly SigningKey[] {
  return keys.filter(({ kid }) => kid !== access.kid && kid !== refresh.kid);
}

/** Keeps the key set object if the keys are the same. A different object would empty the cache of verified tokens. */
export function withSameTokens(snapshot: KeySnapshot, former: KeySnapshot | undefined): KeySnapshot {
  if (former?.names !== snapshot.names) return snapshot;
  // The name of a secret's key says nothing about the secret. That of any other key is made from the key.
  const isSame = snapshot.csrfKeys.every((key, index) => Buffer.compare(key, former.csrfKeys[index] ?? noBytes) === 0);
  return isSame ? Object.freeze({ ...snapshot, tokens: former.tokens }) : snapshot;
}

const noBytes = new Uint8Array();
