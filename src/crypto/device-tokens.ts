import { createHmac, timingSafeEqual } from "node:crypto";
import { type Random, systemRandom } from "../core/runtime/random.ts";

/**
 * Creates the token that a device gets at a login, and sends at its next login to show that it has logged in to this account
 * before. It is a random id and its HMAC-SHA-256 together with the account's username key. It doesn't replace a password: it
 * only keeps failed logins from other devices from counting against this one.
 *
 * @param usernameKey the normalized name of the account.
 * @see https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
 */
export function createDeviceToken(deviceKey: Uint8Array, usernameKey: string, random: Random = systemRandom): string {
  const id = Buffer.from(random(16)).toString("base64url");
  return `${id}.${sign(deviceKey, usernameKey, id)}`;
}

/** Returns the id in a device token of this account, or `null` for any other text. Compares in constant time. */
export function readDeviceToken(deviceKey: Uint8Array, usernameKey: string, token: string): string | null {
  const [, id = "", signature = ""] = /^([\w-]{22})\.([\w-]{43})$/.exec(token) ?? [];
  const [presented, genuine] = [Buffer.from(signature), Buffer.from(sign(deviceKey, usernameKey, id))];
  return presented.length === genuine.length && timingSafeEqual(presented, genuine) ? id : null;
}

function sign(deviceKey: Uint8Array, usernameKey: string, id: string): string {
  return createHmac("sha256", deviceKey)
    .update(JSON.stringify([usernameKey, id]))
    .digest("base64url");
}
