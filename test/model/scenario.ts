import type { Session } from "../../src/core/session.ts";
import type { Store } from "../../src/core/store/index.ts";
import type { User } from "../../src/core/user.ts";
import type { Tokens } from "../../src/crypto/tokens/tokens.ts";
import type { Disk, ModelDatabase, Tables } from "./model-database.ts";

/** What one exploration covers. */
export interface Scenario {
  readonly reuseInterval: number;
  /** The last generation that is made. */
  readonly generations: number;
  readonly tabs: 1 | 2;
  /**
   * Whether nothing expires. Time then counts only since the last rotation, up to the first second after the reuse
   * interval. Otherwise every second until after the absolute expiry is a state of its own.
   */
  readonly isTimeless: boolean;
  readonly idleLifetime: number;
  readonly absoluteLifetime: number;
  /**
   * Whether the clock may go back a second, between requests and within a refresh, but not to a time before the login.
   */
  readonly clockStepsBack: boolean;
  /** When a browser deletes an idempotency key: in one step with storing the new token, or in a later step. */
  readonly deletesKey: "with the token" | "after the token";
  /** Whether the network gives up a flight whose token is two generations old. */
  readonly flightsEnd: boolean;
  /** Whether the user may log out the other sessions, from this device and from the other one, each once. */
  readonly logsOutOthers: boolean;
  /** Breaks the store on purpose. */
  readonly breakStore?: (store: Store, database: ModelDatabase) => Store;
  /** Breaks the tokens on purpose. */
  readonly breakTokens?: (tokens: Tokens) => Tokens;
}

/** The rule, without expiry. */
export const timeless: Scenario = {
  reuseInterval: 1,
  generations: 4,
  tabs: 2,
  isTimeless: true,
  idleLifetime: 10_000,
  absoluteLifetime: 100_000,
  clockStepsBack: false,
  deletesKey: "with the token",
  flightsEnd: true,
  logsOutOthers: false,
};

/** The rule while the user logs out other sessions. */
export const withOthers: Scenario = { ...timeless, generations: 2, tabs: 1, logsOutOthers: true };

/** The rule with an idle lifetime of two and an absolute lifetime of three seconds, under a clock that steps. */
export const expiring: Scenario = {
  ...timeless,
  generations: 3,
  tabs: 1,
  isTimeless: false,
  idleLifetime: 2,
  absoluteLifetime: 3,
  clockStepsBack: true,
};

const start = 1_000_000_000;

/** The user who logs in. */
export const user: User = {
  id: "1",
  username: "alice",
  isActive: true,
  email: null,
  role: null,
  epoch: 0,
  createdAt: start,
  lastLoginAt: null,
};

/** The id of the same user's session on another device. Only a disable and the device itself may change it (invariant I9). */
export const otherId = "01890a5d-ac96-774b-bcce-b302099a8057";

const other: Session = {
  id: otherId,
  userId: user.id,
  userEpoch: 0,
  leastEpoch: null,
  generation: 7,
  currentHash: new Uint8Array(32).fill(7),
  previousHash: new Uint8Array(32).fill(6),
  salt: new Uint8Array(16).fill(6),
  idempotencyHash: null,
  rotatedAt: start,
  createdAt: start,
  authenticatedAt: start,
  amr: null,
  actor: null,
  lastUsedAt: start,
  idleExpiresAt: start + 1_000_000,
  absoluteExpiresAt: start + 1_000_000,
  accessUntil: null,
  changeHash: null,
  revokedAt: null,
  revokeReason: null,
  persistent: true,
  userAgent: null,
  ip: null,
  label: null,
};

/** The tables before the login: the user, and the session on the other device. */
export const firstTables: Tables = {
  now: start,
  users: { [user.id]: user },
  sessions: { [other.id]: other },
  feed: [],
};

/** Returns the session that is explored; undefined before the login. */
export function toSession({ sessions }: Tables): Session | undefined {
  return Object.values(sessions).find((session) => session.id !== otherId);
}

/** Returns the row of the session on the other device. */
export function toBystander({ sessions }: Tables): Session | undefined {
  return sessions[otherId];
}

/** Returns the seconds since the last rotation, at most one more than the reuse interval. */
function toAge(tables: Tables, reuseInterval: number): number {
  const rotatedAt = toSession(tables)?.rotatedAt ?? tables.now;
  return Math.min(tables.now - rotatedAt, reuseInterval + 1);
}

/** Returns the same disk as if the last rotation had been at the start. Only the time since then is kept. */
export function rebase({ committed, durable }: Disk, reuseInterval: number): Disk {
  const rebased = rebaseTables(committed, reuseInterval);
  return { committed: rebased, durable: durable === committed ? rebased : rebaseTables(durable, reuseInterval) };
}

function rebaseTables(tables: Tables, reuseInterval: number): Tables {
  const now = start + toAge(tables, reuseInterval);
  const feed = tables.feed.map((revocation) => ({ ...revocation, at: start }));
  const sessions = Object.values(tables.sessions).map((session) => [
    session.id,
    {
      ...session,
      rotatedAt: session.rotatedAt === null ? null : start,
      lastUsedAt: start,
      idleExpiresAt: session.idleExpiresAt - session.lastUsedAt + start,
      revokedAt: session.revokedAt === null ? null : start,
    },
  ]);
  return { ...tables, now, feed, sessions: Object.fromEntries(sessions) };
}
