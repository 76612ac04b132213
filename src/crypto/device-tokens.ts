import { createCipheriv, createDecipheriv } from "node:crypto";
import { type Random, systemRandom } from "../core/runtime/random.ts";
import { days } from "../core/settings/durations.ts";

/** The content of a device token, which says that this device has logged in to this account. */
export interface KnownDevice {
  /** The device's id. It is random and different for every login. */
  readonly id: string;
  /** The user who logged in. */
  readonly userId: string;
  /** The user's epoch at that time. A token with an earlier epoch is no longer valid. */
  readonly userEpoch: number;
  /** When the token was created, in whole seconds since the epoch. */
  readonly issuedAt: number;
}

/**
 * How long a device stays known after its last login, in seconds. Browsers keep cookies for at most this long (RFC 6265bis
 * §5.5).
 */
export const deviceTokenLifetime = days(400);

const nonceLength = 12;
const tagLength = 16;

/**
 * The maximum length of a token that is decrypted, in characters. Even a token with the longest user id, in UTF-8 and
 * escaped, is shorter.
 */
const maxLength = 3_000;

/**
 * Creates the token that a device gets at a login. The device sends it at its next login, to show that it has logged in to
 * this account before. The token is encrypted with AES-256-GCM (NIST SP 800-38D) and bound to the account's username key.
 * It doesn't replace a password. It only ensures that failed logins from other devices don't count against this device.
 *
 * @param usernameKey the normalized name of the account.
 * @see https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
 */
export function createDeviceToken(
  deviceKey: Uint8Array,
  usernameKey: string,
  { userId, userEpoch, issuedAt }: Omit<KnownDevice, "id">,
  random: Random = systemRandom,
): string {
  const id = Buffer.from(random(16)).toString("base64url");
  const nonce = random(nonceLength);
  const cipher = createCipheriv("aes-256-gcm", deviceKey, nonce).setAAD(Buffer.from(usernameKey));
  const sealed = [nonce, cipher.update(JSON.stringify([id, userId, userEpoch, issuedAt])), cipher.final()];
  return Buffer.concat([...sealed, cipher.getAuthTag()]).toString("base64url");
}

/**
 * Returns the content of a device token of this account, even if the token has expired. Returns `null` for any other text.
 */
export function openDeviceToken(deviceKey: Uint8Array, usernameKey: string, token: string): KnownDevice | null {
  if (token.length > maxLength || !/^[\w-]+$/.test(token)) return null;
  const bytes = Buffer.from(token, "base64url");
  if (bytes.length <= nonceLength + tagLength || bytes.toString("base64url") !== token) return null;
  try {
    const decipher = createDecipheriv("aes-256-gcm", deviceKey, bytes.subarray(0, nonceLength), {
      authTagLength: tagLength,
    });
    decipher.setAAD(Buffer.from(usernameKey)).setAuthTag(bytes.subarray(-tagLength));
    const text = Buffer.concat([decipher.update(bytes.subarray(nonceLength, -tagLength)), decipher.final()]);
    const [id, userId, userEpoch, issuedAt] = JSON.parse(text.toString()) as [string, string, number, number];
    return { id, userId, userEpoch, issuedAt };
  } catch {
    // Not sealed by this key for this account.
    return null;
  }
}
