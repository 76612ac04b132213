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

/** A node's keys at one moment. It never changes: other keys are another snapshot. */
export interface KeySnapshot {
  /** The keys that sign and verify tokens. */
  readonly tokens: KeySet;
  /** The names, algorithms and uses of these keys. With the same secrets, what has the same ones accepts the same tokens. */
  readonly names: string;
  /** The HMAC keys of CSRF tokens. The first one makes them, all verify. */
  readonly csrfKeys: NewestFirst;
  /** The AES keys of device tokens. The first one makes them, all open. */
  readonly deviceKeys: NewestFirst;
  /** The public keys. */
  readonly jwks: Jwks;
  /** When the key that signs access tokens was added: whole seconds since the epoch; `null` if the database doesn't know. */
  readonly signingSince: number | null;
  /** The version of the records that the snapshot was made from. */
  readonly version: number;
  /** When it must be made again, on the database's clock: whole seconds since the epoch; `null` if it never must. */
  readonly until: number | null;
}

/** At least one key. */
type NewestFirst = readonly [Uint8Array, ...Uint8Array[]];

/** The settings that a snapshot depends on. */
export type KeySettings = Pick<
  Settings,
  "accessTokenLifetime" | "refreshTokenLifetime" | "sessionLifetime" | "rotateRefreshTokens" | "leeway"
>;

/** Collects the times at which something changes. */
interface Boundaries {
  /** Returns whether a time is still to come. `null` never comes. */
  isBefore(time: number | null): boolean;
  /** Returns the earliest of the times that are still to come. */
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

/** What a snapshot is made from. */
export interface SnapshotSources {
  readonly records: KeyRecords;
  readonly opened: OpenedRing;
  readonly settings: KeySettings;
}

/**
 * Makes the snapshot of the time at which the records were read.
 *
 * @throws SettingError about `secret`; Error if no key signs or no secret is left, which `toMissing` prevents.
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
 * Returns the snapshot of a node that has nothing but an HMAC signing key and hasn't read the database yet. It verifies access
 * tokens. Refresh tokens in the form of version 0.1 are refused until the database has said whether they still may be.
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
  /** Those that another key has replaced, and those that will replace it. */
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
  /** HMAC keys of the first secret, under the names that version 0.1 gave them. None if the signing key is that secret. */
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
 * Returns the keys of version 0.1's tokens. Access tokens are accepted until the last one has expired that was made before
 * another key began to sign; refresh tokens until the last one has expired that was made before they got their own key.
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

/** Nothing says which algorithm version 0.1 had; each has its own name. The first is HS256. */
function toHmacKeys(secret: Uint8Array, use: KeyUse): readonly SigningKey[] {
  return (["HS256", "HS384", "HS512"] as const)
    .filter((algorithm) => secret.length >= hmacAlgorithms[algorithm].bytes)
    .map((algorithm) => createHmacKey({ algorithm, secret, use }));
}

/** An HMAC key in the setting `signingKey` is version 0.1's form: as long as refresh tokens may have it, it signs both kinds. */
function toSigningUse({ signing }: GivenKeys, { allowsRefresh }: FormerKeys): KeyUse {
  return signing !== null && isHmac(signing.algorithm) && allowsRefresh ? "both" : "access";
}

/** Returns the key that signs refresh tokens as version 0.1 does; `null` if there is none. */
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
