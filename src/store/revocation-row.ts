import type { Revocation, RevocationBase } from "../core/revocation.ts";
import type { RevokeReason } from "../core/session.ts";

/** The maximum number of revocations that one read of the feed returns. */
export const feedBatchSize = 10_000;

/**
 * The longest lifetime of an access token that version 0.1 allows, in seconds. A session that version 0.1 has refreshed may
 * have an access token of this age.
 */
export const longestUnknownAccess = 86_400;

/** The maximum number of sessions that are counted when one session revokes the others. */
export const mostCounted = 1_000;

/** The columns of a row of `revocations` from which a `Revocation` is made. SQL NULL is `null`. */
export interface RevocationRow {
  /** What was revoked. */
  readonly kind: Revocation["kind"];
  /** The id of the session, the user or the token. `null` for the kind `all`, which has no id. */
  readonly key: string | null;
  /**
   * The new epoch of the user or, for the kind `all`, the new global epoch. `null` for the other kinds, and for an `all`
   * entry of version 0.1.
   */
  readonly epoch: number | null;
  /** The session that is excepted. */
  readonly exceptKey: string | null;
  /** When the entry was appended, in whole seconds since the epoch. */
  readonly at: number;
  /** The latest `exp` of the revoked tokens, in whole seconds since the epoch. `null` if version 0.1 wrote the row. */
  readonly until: number | null;
  /** The reason, as a number from `reasonCodes`. `null` if version 0.1 wrote the row. */
  readonly reason: number | null;
  /** Whether a caller waits. SQLite stores a number instead of a boolean. */
  readonly confirm: boolean | number;
}

/** The numbers under which reasons are stored. A number never changes its meaning. */
export const reasonCodes: Readonly<Record<RevokeReason, number>> = {
  logout: 1,
  replaced: 2,
  reuse: 3,
  revoked: 4,
  password_changed: 5,
  user_disabled: 6,
  user_deleted: 7,
  limit: 8,
};

/** Returns the number of a reason, or `null` for a reason that this version doesn't know. */
export function toReasonCode(reason: RevokeReason): number | null {
  return reasonCodes[reason] ?? null;
}

const reasons: ReadonlyMap<number, RevokeReason> = new Map(
  Object.entries(reasonCodes).map(([reason, code]) => [code, reason as RevokeReason]),
);

/** Converts a row of the feed to a revocation. A newer version may have written a reason that this version doesn't know. */
export function toRevocation(row: RevocationRow): Revocation {
  const { kind, epoch, exceptKey } = row;
  const key = row.key ?? "";
  const base: RevocationBase = {
    at: row.at,
    ...(row.until === null ? {} : { until: row.until }),
    ...(row.reason === null ? {} : { reason: reasons.get(row.reason) ?? "revoked" }),
    ...(row.confirm ? { confirm: true } : {}),
  };
  switch (kind) {
    case "session":
      return { kind, sessionId: key, ...base };
    case "user":
      return { kind, userId: key, epoch: epoch ?? 0, ...(exceptKey === null ? {} : { except: exceptKey }), ...base };
    case "token":
      return { kind, tokenId: key, ...base };
    case "all":
      return { kind, ...(epoch === null ? {} : { epoch }), ...base };
  }
}
