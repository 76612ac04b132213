import type { RevokeReason } from "../../core/session.ts";
import type { RevokedSessions } from "../../core/store/sessions.ts";
import type { SqliteConnection } from "./connection/connection.ts";
import type { SqliteFeedStore } from "./feed.ts";
import { isLive } from "./rows.ts";

/** Why and when sessions are revoked. */
interface RevocationCause {
  readonly reason: RevokeReason;
  /** Whole seconds since the epoch. */
  readonly now: number;
}

/**
 * Revokes live sessions and appends to the feed, inside the caller's write. Only the sessions it has revoked are
 * counted.
 */
export interface Revocations {
  /** Revokes one session; with `userId`, only if it is that user's. */
  readonly revokeOne: (sessionId: string, cause: RevocationCause, userId?: string) => RevokedSessions;
  /** Revokes every session of the user except `except`, with a feed entry for each. The epoch stays. */
  readonly revokeOthers: (userId: string, except: string, cause: RevocationCause) => RevokedSessions;
  /**
   * Raises the user's epoch and revokes every session except `except`, with one feed entry. Returns `null` if there is
   * no such user.
   */
  readonly raiseEpoch: (userId: string, cause: RevocationCause, except?: string) => RaisedEpoch | null;
  /** Revokes every session of every user, with one feed entry. */
  readonly revokeAll: (cause: RevocationCause) => RevokedSessions;
}

/** A user's new epoch, and the sessions that were revoked. */
interface RaisedEpoch {
  readonly epoch: number;
  readonly revoked: RevokedSessions;
}

const revokeLive = `UPDATE sessions SET revoked_at = :now, revoke_reason = :reason WHERE ${isLive}`;
const revokeOne = `${revokeLive} AND id = :sessionId AND user_id = coalesce(:userId, user_id) RETURNING id`;
const revokeOthers = `${revokeLive} AND user_id = :userId AND id <> :except RETURNING id`;
const revokeForUser = `${revokeLive} AND user_id = :userId AND id IS NOT :except`;
const raiseEpoch = "UPDATE users SET epoch = epoch + 1 WHERE id = :userId RETURNING epoch";

/** Creates the revocations of a connection, whose entries are appended to `feed`. */
export function createRevocations(connection: SqliteConnection, feed: SqliteFeedStore): Revocations {
  /** Revokes the sessions that `sql` updates, with a feed entry for each. */
  function revokeEach(
    sql: string,
    { reason, now }: RevocationCause,
    parameters: Readonly<Record<string, string | null>>,
  ): RevokedSessions {
    const rows = connection.prepare(sql).all({ ...parameters, reason, now });
    const revocations = rows.map((row) => feed.append({ kind: "session", sessionId: String(row["id"]), at: now }));
    return { sessions: rows.length, revocations };
  }

  return {
    revokeOne: (sessionId, cause, userId) => revokeEach(revokeOne, cause, { sessionId, userId: userId ?? null }),

    revokeOthers: (userId, except, cause) => revokeEach(revokeOthers, cause, { userId, except }),

    raiseEpoch(userId, { reason, now }, except) {
      const raised = connection.prepare(raiseEpoch).get({ userId });
      if (raised === undefined) return null;
      const epoch = Number(raised["epoch"]);
      const { changes } = connection.prepare(revokeForUser).run({ userId, except: except ?? null, reason, now });
      const revocation = feed.append({ kind: "user", userId, epoch, at: now });
      return { epoch, revoked: { sessions: Number(changes), revocations: [revocation] } };
    },

    revokeAll({ reason, now }) {
      const { changes } = connection.prepare(revokeLive).run({ reason, now });
      return { sessions: Number(changes), revocations: [feed.append({ kind: "all", at: now })] };
    },
  };
}
