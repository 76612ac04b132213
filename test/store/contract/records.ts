import type { FeedRead } from "../../../src/core/store/feed.ts";
import type { Store } from "../../../src/core/store/index.ts";
import type { KeyRecord } from "../../../src/core/store/keys.ts";
import type { NewService } from "../../../src/core/store/services.ts";
import type { NewSession, Rotation, SessionUse } from "../../../src/core/store/sessions.ts";
import type { ImportedUser, KeepSession, NewUser } from "../../../src/core/store/users.ts";

/** Returns 32 bytes that differ for every `n`, in place of a SHA-256. */
export function toHash(n: number): Uint8Array {
  const hash = new Uint8Array(32).fill(0x5a);
  new DataView(hash.buffer).setUint32(0, n);
  return hash;
}

/** Returns a user to create. */
export function newUser(username: string, changes: Partial<NewUser> = {}): NewUser {
  return {
    username,
    usernameKey: username.toLowerCase(),
    email: null,
    role: null,
    passwordHash: "hash-1",
    ...changes,
  };
}

/** Returns a user to import. */
export function importedUser(username: string, changes: Partial<ImportedUser> = {}): ImportedUser {
  return { ...newUser(username), isActive: true, createdAt: null, lastLoginAt: null, ...changes };
}

/** Returns a read of the feed after a cursor, of a process that is not registered. */
export function readAfter(after: string | null, changes: Partial<FeedRead> = {}): FeedRead {
  return { after, since: 0, nodeId: null, beat: false, timeout: null, ...changes };
}

/** Returns a session to create: 100 s idle, 1000 s at most, access tokens of 60 s, with the hash `toHash(0)`. */
export function newSession(id: string, userId: string, changes: Partial<NewSession> = {}): NewSession {
  return {
    id,
    userId,
    userEpoch: 0,
    currentHash: toHash(0),
    idleLifetime: 100,
    absoluteLifetime: 1_000,
    persistent: true,
    userAgent: "Firefox",
    ip: "192.0.2.1",
    updateLastLogin: false,
    accessLifetime: 60,
    maxSessions: null,
    ...changes,
  };
}

/** Returns the rotation of a generation, whose hash is `toHash(generation)`, to the next one, of the first user. */
export function rotationOf(sessionId: string, generation: number, changes: Partial<Rotation> = {}): Rotation {
  return {
    sessionId,
    userId: "1",
    userEpoch: 0,
    generation,
    presentedHash: toHash(generation),
    nextHash: toHash(generation + 1),
    salt: new Uint8Array(16).fill(generation + 1),
    idempotencyHash: null,
    idleLifetime: 100,
    accessLifetime: 60,
    userAgent: null,
    ip: null,
    ...changes,
  };
}

/** Returns how a password change keeps a session, with the new hash `toHash(50)`. */
export function keeping(sessionId: string, changes: Partial<KeepSession> = {}): KeepSession {
  return {
    sessionId,
    userEpoch: 0,
    nextHash: toHash(50),
    changeHash: null,
    idleLifetime: 100,
    accessLifetime: 60,
    ...changes,
  };
}

/** Returns a use of generation 0, whose hash is `toHash(0)`, of the first user. */
export function useOf(sessionId: string, changes: Partial<SessionUse> = {}): SessionUse {
  const presented = { sessionId, userId: "1", userEpoch: 0, generation: 0, presentedHash: toHash(0) };
  return { ...presented, accessLifetime: 60, userAgent: null, ip: null, ...changes };
}

/** Returns a sealed key to add, which signs from the beginning. */
export function newKey(kid: string, changes: Partial<KeyRecord> = {}): KeyRecord {
  return {
    kid,
    use: "access",
    algorithm: "ES256",
    publicJwk: `{"kid":"${kid}"}`,
    sealed: toHash(1),
    kekId: "first",
    createdAt: 100,
    signsFrom: 100,
    retireAt: null,
    retiredAt: null,
    ...changes,
  };
}

/** Returns a service to create, whose credential has the hash `toHash(1)`. */
export function newService(name: string, changes: Partial<NewService> = {}): NewService {
  return { name, scopes: ["introspect"], credentialHash: toHash(1), prefix: "prefix01", ...changes };
}

/** Creates a user and returns the id. */
export async function addUser(store: Store, username: string, changes: Partial<NewUser> = {}): Promise<string> {
  const created = await store.users.create(newUser(username, changes));
  if (created.outcome !== "created") throw new Error(`${username} is taken`);
  return created.user.id;
}

/** Creates a session. @throws Error if it is refused. */
export async function addSession(store: Store, id: string, userId: string, changes: Partial<NewSession> = {}) {
  const created = await store.sessions.create(newSession(id, userId, changes));
  if (created.outcome !== "created") throw new Error(`refused: ${created.reason}`);
  return created;
}

/** Returns whether the session is live. */
export async function isLive(store: Store, sessionId: string): Promise<boolean> {
  const { sessions } = await store.sessions.list({ limit: 1_000 });
  return sessions.some((session) => session.id === sessionId);
}
