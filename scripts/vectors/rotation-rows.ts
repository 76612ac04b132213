import { hashOf, saltOf, secrets } from "./rotation-derivations.ts";

/** The settings of the vectors. Seconds; `now` is the database's time. */
export const settings = {
  now: 1_796_000_000,
  reuseInterval: 10,
  accessTokenLifetime: 1_800,
  refreshTokenLifetime: 2_592_000,
  globalEpoch: 1,
};

/** A session's row. Hashes and salts are hexadecimal digits, times whole seconds since the epoch. */
export interface SessionRow {
  readonly userId: string;
  readonly userEpoch: number;
  readonly leastEpoch: number | null;
  readonly generation: number;
  readonly currentHash: string;
  readonly previousHash: string | null;
  readonly salt: string | null;
  readonly idempotencyHash: string | null;
  readonly rotatedAt: number | null;
  readonly idleExpiresAt: number;
  readonly absoluteExpiresAt: number;
  readonly accessUntil: number | null;
  readonly revokedAt: number | null;
  readonly revokeReason: string | null;
}

/** The state of the session's user. */
export interface UserRow {
  readonly isActive: boolean;
  readonly epoch: number;
  readonly epochReason: string | null;
}

/** The claims of the presented token that the rule needs, besides `sid`. */
export interface Presented {
  readonly user_id: string;
  readonly ue: number;
  readonly gen: number;
  /** Hexadecimal digits. */
  readonly secret: string;
}

/** What the rule decides. */
export interface Expected {
  /** The step that decides, named as in docs/rotation.md. */
  readonly step: "2" | "3a" | "3b" | "3c" | "3e";
  readonly outcome: "rotated" | "refused" | "replayed" | "reuse_detected" | "state_lost";
  readonly response:
    | {
        readonly status: 200;
        /** Claims of the new tokens. */
        readonly refresh: Readonly<Record<"ue" | "gen" | "iat" | "exp", number> & Record<"secret" | "jti", string>>;
        readonly access: Readonly<Record<"ue" | "ge" | "iat" | "exp", number>>;
      }
    | {
        readonly status: 401;
        readonly detail: string;
        readonly code: string;
        /** Whether the response has the header `Session-Ended: true`. */
        readonly sessionEnded: boolean;
      };
  /** What changes in the row. */
  readonly changes: Partial<SessionRow>;
}

/** A token, the row that it meets, and what the rule decides. */
export interface DecisionVector extends Expected {
  readonly name: string;
  /** Settings that differ. */
  readonly settings?: Partial<typeof settings>;
  readonly presented: Presented;
  readonly idempotencyKey?: string;
  /** The salt that step 1 makes. */
  readonly salt: string;
  readonly session: SessionRow | null;
  readonly user: UserRow | null;
}

const { now } = settings;

/** Returns the usual row: generation 2, rotated an hour ago without an idempotency key. */
export function baseSession(changes: Partial<SessionRow> = {}): SessionRow {
  return {
    userId: "42",
    userEpoch: 3,
    leastEpoch: null,
    generation: 2,
    currentHash: hashOf(secrets[2] ?? ""),
    previousHash: hashOf(secrets[1] ?? ""),
    salt: saltOf(2).toString("hex"),
    idempotencyHash: null,
    rotatedAt: now - 3_600,
    idleExpiresAt: now + 1_000_000,
    absoluteExpiresAt: now + 5_000_000,
    accessUntil: now - 1_800,
    revokedAt: null,
    revokeReason: null,
    ...changes,
  };
}

/** The usual user. */
export const baseUser: UserRow = { isActive: true, epoch: 3, epochReason: null };
