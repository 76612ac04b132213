import { days } from "../../core/settings/durations.ts";
import { SettingError } from "../../core/settings/setting-error.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { Store } from "../../core/store/index.ts";
import type { KeyRecords } from "../../core/store/keys.ts";
import { toCount } from "../../core/text.ts";
import type { AuthUser } from "../../core/user.ts";
import { createKeks, type Keks } from "../../crypto/keys/key-encryption.ts";
import type { KeyMaterial } from "../../crypto/keys/key-material.ts";
import { type OpenedRing, openRing } from "../../keys/ring.ts";
import { findSigner, isSealed, toAccessRecords } from "../../keys/states.ts";
import { type Check, fail, ok, warn } from "./check.ts";

const name = "key ring";

/** The minimum number of bits of an RSA key that is considered safe beyond 2030 (NIST SP 800-57). */
const minRsaBits = 3_072;

/** The age, in seconds, at which a signing key counts as old. */
const oldAge = days(365);

/**
 * Checks that the keys in the database can be decrypted, and are neither old nor weak. Returns no findings if there are no
 * keys.
 */
export async function checkRing(
  { keys, services }: Pick<Store, "keys" | "services">,
  { keyEncryptionKey }: Settings<AuthUser>,
): Promise<readonly Check[]> {
  const records = await keys.read();
  const keks = keyEncryptionKey === undefined ? null : createKeks(keyEncryptionKey);
  const adoption = records.ownRefreshSince === null ? [notAdopted()] : [];
  try {
    const opened = openRing(records, keks);
    const found = [...checkAge(records), ...checkStrength(opened), ...checkSeals(records, keks)];
    const summary = found.length === 0 && records.keys.some(isSealed) ? [toSummary(records)] : found;
    return [...summary, ...adoption, ...checkServices(records, (await services.list()).length)];
  } catch (error) {
    if (error instanceof SettingError) return [fail(name, error.message), ...adoption];
    throw error;
  }
}

function notAdopted(): Check {
  return warn(
    "refresh key",
    "Refresh tokens are signed as in version 0.1: a service with the signing key can take or forge one. When the last node of " +
      "that version has stopped, run: tokenpair keys adopt",
  );
}

/** Checks the age of the signing key. For a key in a setting, the age is the time since a node first had it. */
function checkAge(records: KeyRecords): readonly Check[] {
  const stored = toAccessRecords(records).filter(({ retiredAt }) => retiredAt === null);
  const newest = findSigner(stored, records.now) ?? stored.at(-1);
  if (newest === undefined || records.now - newest.createdAt < oldAge) return [];
  const advice = isSealed(newest) ? "Run: tokenpair keys rotate" : "Replace it.";
  return [warn(name, `The signing key ${newest.kid} is older than a year. ${advice}`)];
}

function checkStrength({ access }: OpenedRing): readonly Check[] {
  return [...access.values()].flatMap((material) => {
    const fault = findRsaFault(material);
    return fault === null ? [] : [warn(name, `${material.kid}: ${fault}`)];
  });
}

function checkSeals({ keys }: KeyRecords, keks: Keks | null): readonly Check[] {
  const others = keys.filter(isSealed).filter(({ kekId }) => kekId !== keks?.id).length;
  if (others === 0) return [];
  return [
    warn(name, `${toCount(others, "key")} encrypted with a former key encryption key. Run: tokenpair keys rewrap`),
  ];
}

function toSummary({ keys }: KeyRecords): Check {
  const sealed = keys.filter(isSealed);
  const secrets = sealed.filter(({ use }) => use === "secret").length;
  return ok(name, `Decrypted ${toCount(sealed.length - secrets, "key")} and ${toCount(secrets, "secret")}.`);
}

/**
 * Checks whether services can verify tokens with public keys. An HMAC signing key has no public key, so a service that can
 * verify with it can also sign.
 */
function checkServices(records: KeyRecords, services: number): readonly Check[] {
  if (
    services === 0 ||
    toAccessRecords(records).some(({ publicJwk, retiredAt }) => publicJwk !== null && retiredAt === null)
  ) {
    return [];
  }
  return [
    warn(
      "services",
      `${toCount(services, "service")} can only verify with the HMAC signing key, which also signs. ` +
        "Use a private key: docs/keys.md has the steps.",
    ),
  ];
}

/** Returns what is weak about an RSA key. Returns `null` for a strong key and for other types of keys. */
export function findRsaFault({ publicKey }: Pick<KeyMaterial, "publicKey">): string | null {
  const bits = publicKey?.asymmetricKeyDetails?.modulusLength;
  if (bits === undefined || bits >= minRsaBits) return null;
  return `An RSA key of ${bits} bits. Use ${minRsaBits} bits or ES256, created with: tokenpair keys generate`;
}
