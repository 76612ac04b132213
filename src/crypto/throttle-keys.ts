import { createHash } from "node:crypto";
import { toClientNetwork } from "../core/addresses.ts";

/*
 * The keys under which failed logins are counted. They are hashes, because people type passwords into the wrong field, and
 * addresses are private. They need no secret, so that the command line can unlock without the signing key; someone who can
 * read the database can test names against them.
 */

/** The account of a login. It is the user or, if no user has the name, the name. */
interface Account {
  readonly userId: string | null;
  readonly usernameKey: string;
}

/** Returns the key of an account. All other keys of the account begin with it. */
export function toAccountKey({ userId, usernameKey }: Account): string {
  return `account:${userId === null ? hash("name", usernameKey) : hash("user", userId)}`;
}

/**
 * Returns the key of a client address, for all accounts together. For an IPv6 address, it is the key of its /64 network.
 */
export function toAddressKey(ip: string): string {
  return `address:${hash(toClientNetwork(ip))}`;
}

/** Returns the key of a client address on one account. */
export function toPairKey(accountKey: string, ip: string): string {
  return `${accountKey}/${toAddressKey(ip)}`;
}

/** Returns the key of a known device on one account. */
export function toDeviceKey(accountKey: string, deviceId: string): string {
  return `${accountKey}/device:${hash(deviceId)}`;
}

function hash(...parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest().subarray(0, 16).toString("base64url");
}
