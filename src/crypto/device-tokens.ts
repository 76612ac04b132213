import { type Random, systemRandom } from "../core/runtime/random.ts";
import { days } from "../core/settings/durations.ts";
import { decrypt, encrypt } from "./aead.ts";
import { parseBase64url } from "./base64url.ts";

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

/**
 * The maximum length of a token that is decrypted, in characters. Even a token with the longest user id, in UTF-8 and
 * escaped, is shorter.
 */
const maxLength = 3_000;

/**
 * Creates the token that a device gets at a login. The device sends it at its next login, to show that it has logged in to
 * this account before. The token is encrypted with AES-256-GCM and bound to the account's username key.
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
  const content = Buffer.from(JSON.stringify([id, userId, userEpoch, issuedAt]));
  return encrypt(deviceKey, content, { context: Buffer.from(usernameKey), random }).toString("base64url");
}

/**
 * Returns the content of a device token of this account, even if the token has expired. Returns `null` for any other text.
 */
export function openDeviceToken(deviceKey: Uint8Array, usernameKey: string, token: string): KnownDevice | null {
  const bytes = token.length > maxLength ? null : parseBase64url(token);
  if (bytes === null) return null;
  try {
    const text = decrypt(deviceKey, bytes, Buffer.from(usernameKey));
    const [id, userId, userEpoch, issuedAt] = JSON.parse(text.toString()) as [string, string, number, number];
    return { id, userId, userEpoch, issuedAt };
  } catch {
    // Not encrypted with this key for this account.
    return null;
  }
}
