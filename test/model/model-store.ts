import type { Revocation } from "../../src/core/revocation.ts";
import { type RevokeReason, type Session, toSessionStatus } from "../../src/core/session.ts";
import type { Store } from "../../src/core/store/index.ts";
import {
  type NewSession,
  nothingRevoked,
  type RevokedSessions,
  type Rotation,
  type SessionSnapshot,
  type SessionStore,
} from "../../src/core/store/sessions.ts";
import type { UserStore } from "../../src/core/store/users.ts";
import type { User } from "../../src/core/user.ts";
import type { Change, ModelDatabase, Tables } from "./model-database.ts";

/** Creates the part of `Store` that logins, refreshes and revocations need, over the model's database. */
export function createModelStore(database: ModelDatabase): Store {
  const sessions: Partial<SessionStore> = {
    create: (session) => database.transact((tables) => create(tables, session)),
    rotate: (rotation) => database.transact((tables) => rotate(tables, rotation)),
    decide: (id, decide) =>
      database.transact((tables) => {
        const { result, revoke: reason } = decide(find(tables, id));
        if (reason === undefined) return { tables, result: { result, ...nothingRevoked } };
        const revoked = revoke(tables, reason, (session) => session.id === id);
        return { ...revoked, result: { result, ...revoked.result } };
      }),
    find: (id) => database.transact((tables) => ({ tables, result: find(tables, id) })),
    revoke: (id, reason, { userId } = {}) =>
      database.transact((tables) =>
        revoke(tables, reason, (session) => session.id === id && (userId ?? session.userId) === session.userId),
      ),
    revokeOthers: (owner) => database.transact((tables) => revokeOthers(tables, owner, isLive)),
  };
  const users: Partial<UserStore> = {
    findById: (id) =>
      database.transact((tables) => {
        const user = tables.users[id];
        return { tables, result: user === undefined ? null : { ...user, passwordHash: null } };
      }),
    disable: (id) =>
      database.transact((tables) => {
        const user = tables.users[id];
        if (user === undefined) return { tables, result: null };
        const changed = { ...user, isActive: false, epoch: user.epoch + 1 };
        return revoke(withUser(tables, changed), "user_disabled", (session) => session.userId === id, changed);
      }),
    enable: (id) =>
      database.transact((tables) => {
        const user = tables.users[id];
        if (user === undefined) return { tables, result: null };
        return { tables: withUser(tables, { ...user, isActive: true }), result: { now: tables.now } };
      }),
  };
  return {
    sessions: withoutTheRest(sessions),
    users: withoutTheRest(users),
    feed: withoutTheRest({}),
    audit: withoutTheRest({}),
  } as Store;
}

/** Returns the tables with a session's row replaced. */
export function withSession(tables: Tables, session: Session): Tables {
  return { ...tables, sessions: { ...tables.sessions, [session.id]: session } };
}

function withUser(tables: Tables, user: User): Tables {
  return { ...tables, users: { ...tables.users, [user.id]: user } };
}

/** Returns a session with its user's state and the time; `null` if there is no such session. */
export function find({ sessions, users, now }: Tables, id: string): SessionSnapshot | null {
  const session = sessions[id];
  if (session === undefined) return null;
  const user = users[session.userId];
  const state = user === undefined ? null : { isActive: user.isActive, epoch: user.epoch, epochReason: null };
  return { session, user: state, now, globalEpoch: 0 };
}

/** Returns whether a session can be refreshed: it is live, and its user is active and has its epoch. */
export function isLive(tables: Tables, session: Session): boolean {
  const user = tables.users[session.userId];
  const isAllowed = user?.isActive === true && user.epoch === session.userEpoch;
  return isAllowed && toSessionStatus(session, tables.now) === "live";
}

type Created = Awaited<ReturnType<SessionStore["create"]>>;

function create(tables: Tables, { idleLifetime, absoluteLifetime, ...given }: NewSession): Change<Created> {
  const user = tables.users[given.userId];
  if (user === undefined) return { tables, result: { outcome: "refused", reason: "user_gone" } };
  if (!user.isActive) return { tables, result: { outcome: "refused", reason: "user_inactive" } };
  if (user.epoch !== given.userEpoch) return { tables, result: { outcome: "refused", reason: "user_epoch_changed" } };
  const { now } = tables;
  const session: Session = {
    id: given.id,
    userId: given.userId,
    userEpoch: given.userEpoch,
    leastEpoch: null,
    generation: 0,
    currentHash: given.currentHash,
    previousHash: null,
    salt: null,
    idempotencyHash: null,
    rotatedAt: null,
    createdAt: now,
    // Not modelled: no rule depends on them.
    authenticatedAt: 0,
    amr: null,
    actor: null,
    lastUsedAt: now,
    idleExpiresAt: now + Math.min(idleLifetime, absoluteLifetime),
    absoluteExpiresAt: now + absoluteLifetime,
    // Not modelled: it would make equal states different, and only the index depends on it.
    accessUntil: null,
    changeHash: null,
    revokedAt: null,
    revokeReason: null,
    persistent: given.persistent,
    userAgent: given.userAgent,
    ip: given.ip,
    label: null,
  };
  return {
    tables: withSession(tables, session),
    result: { outcome: "created", session, now, globalEpoch: 0, revocations: [], limited: [], isNewDevice: false },
  };
}

type Rotated = Awaited<ReturnType<SessionStore["rotate"]>>;

function rotate(tables: Tables, rotation: Rotation): Change<Rotated> {
  const session = tables.sessions[rotation.sessionId];
  const matches =
    session !== undefined &&
    session.userId === rotation.userId &&
    session.userEpoch >= rotation.userEpoch &&
    session.generation === rotation.generation &&
    Buffer.compare(session.currentHash, rotation.presentedHash) === 0 &&
    isLive(tables, session);
  if (!matches) return { tables, result: null };
  const rotated = toRotated(session, rotation, tables.now);
  return { tables: withSession(tables, rotated), result: { session: rotated, now: tables.now, globalEpoch: 0 } };
}

/** Returns the row after the SET of step 2. */
export function toRotated(session: Session, rotation: Rotation, now: number): Session {
  return {
    ...session,
    generation: session.generation + 1,
    previousHash: session.currentHash,
    currentHash: rotation.nextHash,
    salt: rotation.salt,
    idempotencyHash: rotation.idempotencyHash,
    rotatedAt: now,
    lastUsedAt: now,
    idleExpiresAt: Math.min(now + rotation.idleLifetime, session.absoluteExpiresAt),
  };
}

/**
 * Revokes the unrevoked sessions that `isMeant` picks and appends to the feed: one entry for each, or one for a `user`.
 */
export function revoke(
  tables: Tables,
  reason: RevokeReason,
  isMeant: (session: Session) => boolean,
  user?: User,
): Change<RevokedSessions> {
  const { now: at } = tables;
  const revoked = Object.values(tables.sessions).filter((session) => session.revokedAt === null && isMeant(session));
  const revocations: Revocation[] =
    user === undefined
      ? revoked.map((session) => ({ kind: "session", sessionId: session.id, at }))
      : [{ kind: "user", userId: user.id, epoch: user.epoch, at }];
  const withRows = revoked.reduce(
    (rows, session) => withSession(rows, { ...session, revokedAt: at, revokeReason: reason }),
    tables,
  );
  const changed = { ...withRows, feed: [...tables.feed, ...revocations] };
  return { tables: changed, result: { sessions: revoked.length, revocations } };
}

/**
 * Raises the user's epoch and moves one session to it, if `mayRevoke` says so; it leaves the other rows as they are, and
 * appends one entry to the feed.
 *
 * @param setsLeast whether earlier refresh tokens of the session still count. Default: true.
 */
export function revokeOthers(
  tables: Tables,
  { sessionId, userId }: { readonly sessionId: string; readonly userId: string },
  mayRevoke: (tables: Tables, session: Session) => boolean,
  setsLeast = true,
): Change<RevokedSessions | null> {
  const session = tables.sessions[sessionId];
  const user = tables.users[userId];
  if (session?.userId !== userId || user === undefined || !mayRevoke(tables, session)) return { tables, result: null };
  const epoch = user.epoch + 1;
  const others = Object.values(tables.sessions).filter((other) => other.id !== sessionId && isLive(tables, other));
  const entry: Revocation = { kind: "user", userId, epoch, except: sessionId, at: tables.now };
  const leastEpoch = setsLeast ? (session.leastEpoch ?? session.userEpoch) : null;
  const moved = withSession(tables, { ...session, userEpoch: epoch, leastEpoch });
  return {
    tables: { ...withUser(moved, { ...user, epoch }), feed: [...tables.feed, entry] },
    result: { sessions: others.length, revocations: [entry] },
  };
}

/** Lets a flow that calls a method which the model lacks fail with the method's name. */
function withoutTheRest<T extends object>(part: Partial<T>): T {
  return new Proxy(part as T, {
    get(target, name, receiver) {
      if (name in target) return Reflect.get(target, name, receiver);
      throw new TypeError(`the model's store has no ${String(name)}`);
    },
  });
}
