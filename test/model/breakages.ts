import type { RevokeReason, Session } from "../../src/core/session.ts";
import type { Store } from "../../src/core/store/index.ts";
import {
  nothingRevoked,
  type Rotation,
  type SessionSnapshot,
  type SessionStore,
  type Verdict,
} from "../../src/core/store/sessions.ts";
import type { Tokens } from "../../src/crypto/tokens/tokens.ts";
import type { ModelDatabase } from "./model-database.ts";
import { find, isLive, revoke, revokeOthers, toRotated, withSession } from "./model-store.ts";
import { expiring, type Scenario, timeless, user, withOthers } from "./scenario.ts";

/** A rule that is broken on purpose, and the invariant whose violation the exploration must find. */
export interface Breakage {
  readonly name: string;
  /** The invariant's number. */
  readonly violates: string;
  readonly scenario: Scenario;
}

type Break = (database: ModelDatabase, sessions: SessionStore) => Partial<SessionStore>;

function broken(name: string, violates: string, toBroken: Break, scenario = timeless): Breakage {
  const breakStore = (store: Store, database: ModelDatabase): Store => {
    const sessions = Object.assign(Object.create(store.sessions), toBroken(database, store.sessions));
    return { ...store, sessions };
  };
  return { name, violates, scenario: { ...scenario, breakStore } };
}

/** Makes a `rotate` that matches the rows that `matches` accepts and writes the row that `next` returns. */
function rotateWhere(
  database: ModelDatabase,
  matches: (session: Session, rotation: Rotation, isAlive: boolean) => boolean,
  next = toRotated,
): Pick<SessionStore, "rotate"> {
  return {
    rotate: (rotation) =>
      database.transact((tables) => {
        const session = tables.sessions[rotation.sessionId];
        const isMatch = session !== undefined && matches(session, rotation, isLive(tables, session));
        if (!isMatch) return { tables, result: null };
        const rotated = next(session, rotation, tables.now);
        return { tables: withSession(tables, rotated), result: { session: rotated, now: tables.now, globalEpoch: 0 } };
      }),
  };
}

/** Makes a `decide` that shows a changed row, revokes other sessions than it should, or commits too late. */
function decideWith(
  database: ModelDatabase,
  how: {
    readonly show?: (snapshot: SessionSnapshot) => SessionSnapshot;
    readonly revokes?: (session: Session, id: string, reason: RevokeReason) => boolean;
    readonly isDurable?: boolean;
  },
): Pick<SessionStore, "decide"> {
  const { show = (snapshot) => snapshot, revokes = (session, id) => session.id === id, isDurable = true } = how;
  return {
    decide: <T>(id: string, decide: (snapshot: SessionSnapshot | null) => Verdict<T>) =>
      database.transact(
        (tables) => {
          const snapshot = find(tables, id);
          const { result, revoke: reason } = decide(snapshot && show(snapshot));
          if (reason === undefined) return { tables, result: { result, ...nothingRevoked } };
          const revoked = revoke(tables, reason, (session) => revokes(session, id, reason));
          return { ...revoked, result: { result, ...revoked.result } };
        },
        { isDurable },
      ),
  };
}

const isOwn = (session: Session, { userId, userEpoch }: Rotation) =>
  session.userId === userId && session.userEpoch >= userEpoch;

const hasHash = (session: Session, { generation, presentedHash }: Rotation) =>
  session.generation === generation && Buffer.compare(session.currentHash, presentedHash) === 0;

const isCurrent = (session: Session, rotation: Rotation, isAlive = true) =>
  isAlive && isOwn(session, rotation) && hasHash(session, rotation);

/** Every breakage. */
export const breakages: readonly Breakage[] = [
  broken("a replay is answered from another salt", "I1", (database) =>
    decideWith(database, {
      show: (snapshot) => ({ ...snapshot, session: { ...snapshot.session, salt: new Uint8Array(16).fill(1) } }),
    }),
  ),
  broken("the previous token rotates again", "I2", (database) =>
    rotateWhere(database, (session, rotation, isAlive) => {
      const { generation, previousHash } = session;
      const previous = { ...session, generation: generation - 1, currentHash: previousHash ?? session.currentHash };
      return isAlive && (isCurrent(session, rotation) || isCurrent(previous, rotation));
    }),
  ),
  broken("a rotation does not compare the hash", "I2", (database) =>
    rotateWhere(
      database,
      (session, rotation, isAlive) => isAlive && isOwn(session, rotation) && session.generation === rotation.generation,
    ),
  ),
  broken("a rotation does not check whether the session is live", "I3", (database) =>
    rotateWhere(database, (session, rotation) => isCurrent(session, rotation)),
  ),
  broken("a login does not compare the user's epoch", "I3", (database, sessions) => ({
    create: async (session) => {
      const epochNow = (await database.transact((tables) => ({ tables, result: tables.users[user.id]?.epoch }))) ?? 0;
      return sessions.create({ ...session, userEpoch: epochNow });
    },
  })),
  broken(
    "logging out the other sessions doesn't check that the session itself is live",
    "I3",
    (database) => ({
      revokeOthers: (owner) => database.transact((tables) => revokeOthers(tables, owner, () => true)),
    }),
    withOthers,
  ),
  broken(
    "logging out the other sessions forgets which earlier refresh tokens count",
    "I6",
    (database) => ({
      revokeOthers: (owner) => database.transact((tables) => revokeOthers(tables, owner, isLive, false)),
    }),
    withOthers,
  ),
  broken("a rotation raises the generation by two", "I4", (database) =>
    rotateWhere(database, isCurrent, (...rotation) => {
      const rotated = toRotated(...rotation);
      return { ...rotated, generation: rotated.generation + 1 };
    }),
  ),
  broken(
    "the idle lifetime passes the absolute one",
    "I5",
    (database) =>
      rotateWhere(database, isCurrent, (session, rotation, now) => ({
        ...toRotated(session, rotation, now),
        idleExpiresAt: now + rotation.idleLifetime,
      })),
    expiring,
  ),
  broken("idempotency keys are not stored", "I6", (_, sessions) => ({
    rotate: (rotation) => sessions.rotate({ ...rotation, idempotencyHash: null }),
  })),
  broken("detected reuse revokes nothing", "I7", (database) =>
    decideWith(database, { revokes: (session, id, reason) => session.id === id && reason !== "reuse" }),
  ),
  broken("the reuse interval slides with every replay", "I2", (database, sessions) => ({
    decide: async (id, decide) => {
      const decided = await sessions.decide(id, decide);
      const { spent } = Object(decided.result) as { readonly spent?: { readonly outcome: string } };
      if (spent?.outcome !== "replayed") return decided;
      return database.transact((tables) => {
        const session = tables.sessions[id] as Session;
        return { tables: withSession(tables, { ...session, rotatedAt: tables.now }), result: decided };
      });
    },
  })),
  broken("a rotation compares neither user nor epoch", "I8", (database) =>
    rotateWhere(database, (session, rotation, isAlive) => isAlive && hasHash(session, rotation)),
  ),
  { name: "signatures are not verified", violates: "I8", scenario: { ...timeless, breakTokens: withoutVerification } },
  broken("detected reuse revokes every session of the user", "I9", (database) =>
    decideWith(database, {
      revokes: (session, id, reason) => (reason === "reuse" ? session.userId === user.id : session.id === id),
    }),
  ),
  broken("a logout is answered before it is durable", "I10", (database) => decideWith(database, { isDurable: false })),
  broken("a rotation is two transactions", "I10", (database, sessions) => ({
    rotate: async (rotation) => {
      const half = rotateWhere(database, isCurrent, (session) => ({ ...session, rotatedAt: session.lastUsedAt }));
      return (await half.rotate(rotation)) && sessions.rotate(rotation);
    },
  })),
];

/** Returns tokens whose verification ignores the signature. */
function withoutVerification(tokens: Tokens): Tokens {
  return {
    ...tokens,
    verifyRefresh(token) {
      try {
        return tokens.verifyRefresh(token);
      } catch (error) {
        const [, payload = ""] = token.split(".");
        if (payload.length < 10) throw error;
        const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
        return {
          type: "refresh",
          userId: claims.user_id,
          sessionId: claims.sid,
          userEpoch: claims.ue,
          tokenId: claims.jti,
          issuedAt: claims.iat,
          expiresAt: claims.exp,
          generation: claims.gen ?? 0,
          secret: Buffer.from(claims.secret ?? "", "base64url"),
        };
      }
    },
  };
}
