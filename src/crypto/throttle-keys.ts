import { createHash } from "node:crypto";
import { toClientNetwork } from "../core/addresses.ts";

/*
 * The keys under which failed logins are counted. They are hashes: people type passwords into the wrong field, and an
 * address is nobody else's business. There is no secret in them, so that a command line without the signing key can unlock;
 * whoever reads the database can try out names on them.
 */

/** Of a user or, where nobody has it, of a name. What else is counted of the account lies below its key. */
export function toAccountKey({
  userId,
  usernameKey,
}: {
  readonly userId: string | null;
  readonly usernameKey: string;
}) {
  return `account:${userId === null ? hash("name", usernameKey) : hash("user", userId)}`;
}

/** Of a client address, IPv6 by /64, over all accounts. */
export function toAddressKey(ip: string): string {
  return `address:${hash(toClientNetwork(ip))}`;
}

/** Of an account and a client address. */
export function toPairKey(accountKey: string, ip: string): string {
  return `${accountKey}/${toAddressKey(ip)}`;
}

/** Of a device that has logged in to the account. */
export function toDeviceKey(accountKey: string, deviceId: string): string {
  return `${accountKey}/device:${hash(deviceId)}`;
}

function hash(...parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest().subarray(0, 16).toString("base64url");
}
