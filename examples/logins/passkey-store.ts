/** The tables of passkeys.ts: the passkeys, and the challenges that wait to be signed. */
import { mkdirSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { WebAuthnCredential } from "@simplewebauthn/server";

mkdirSync("data", { recursive: true });
const db = new DatabaseSync("data/passkeys.db");
db.exec(`
  CREATE TABLE IF NOT EXISTS passkeys (id TEXT PRIMARY KEY, user_id TEXT, public_key BLOB, counter INTEGER);
  CREATE INDEX IF NOT EXISTS passkeys_user_id ON passkeys (user_id);
  CREATE TABLE IF NOT EXISTS challenges (challenge TEXT PRIMARY KEY, owner TEXT, expires_at INTEGER);
`);

const insertChallenge = db.prepare("INSERT INTO challenges VALUES (?, ?, unixepoch() + 300)");
const deleteExpired = db.prepare("DELETE FROM challenges WHERE expires_at <= unixepoch()");
const deleteChallenge = db.prepare(
  "DELETE FROM challenges WHERE challenge = ? AND owner = ? AND expires_at > unixepoch()",
);

/** Stores the challenge of some options for five minutes, and returns the options. `owner` says what it is for, and for whom. */
export function remember<T extends { readonly challenge: string }>(owner: string, options: T): T {
  deleteExpired.run();
  insertChallenge.run(options.challenge, owner);
  return options;
}

/** Returns whether a challenge was the owner's. It works once: of any number of requests, one statement deletes it. */
export const spend = (owner: string, challenge: string) => deleteChallenge.run(challenge, owner).changes === 1;

const insertPasskey = db.prepare("INSERT INTO passkeys VALUES (?, ?, ?, ?)");
const selectPasskey = db.prepare("SELECT * FROM passkeys WHERE id = ?");
const selectIds = db.prepare("SELECT id FROM passkeys WHERE user_id = ?");
const updateCounter = db.prepare(
  "UPDATE passkeys SET counter = :counter WHERE id = :id AND (counter < :counter OR (counter = 0 AND :counter = 0))",
);

/** Stores a new passkey of a user. */
export function addPasskey(userId: string, { id, publicKey, counter }: WebAuthnCredential): void {
  insertPasskey.run(id, userId, publicKey, counter);
}

/** Finds a passkey and whose it is. */
export function findPasskey(id: unknown): { readonly userId: string; readonly credential: WebAuthnCredential } | null {
  const row = selectPasskey.get(String(id));
  if (row === undefined) return null;
  const publicKey = new Uint8Array(row["public_key"] as Uint8Array<ArrayBuffer>);
  return {
    userId: String(row["user_id"]),
    credential: { id: String(row["id"]), publicKey, counter: Number(row["counter"]) },
  };
}

/** Lists the ids of a user's passkeys. */
export const listPasskeys = (userId: string) => selectIds.all(userId).map(({ id }) => ({ id: String(id) }));

/**
 * Returns whether the counter was raised. If not, there may be a copy of the passkey. Most passkeys are synchronized and don't
 * count: theirs is always 0.
 */
export const raiseCounter = (id: string, counter: number) => updateCounter.run({ id, counter }).changes === 1;
