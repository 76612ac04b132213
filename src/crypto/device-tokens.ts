import { createHmac, timingSafeEqual } from "node:crypto";
import { type Random, systemRandom } from "../core/runtime/random.ts";

/**
 * What a device is given at a login, to show at its next one that it has logged in to this account before (OWASP, "device
 * cookies"): a random id and its HMAC-SHA-256 together with the account's username key. It proves nothing else, and lets
 * nobody in: it only keeps the guesses of others from counting against this device.
 */
export function createDeviceToken(deviceKey: Uint8Array, usernameKey: string, random: Random = systemRandom): string {
  const id = Buffer.from(random(16)).toString("base64url");
  return `${id}.${sign(deviceKey, usernameKey, id)}`;
}

/** The id in a device token that was made for this account; `null` for every other text. Constant time. */
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
