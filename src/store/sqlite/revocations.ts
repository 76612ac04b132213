import type { RevokeReason } from "../../core/session.ts";
import type { RevokedSessions } from "../../core/store/sessions.ts";
import type { Connection } from "./connection/connection.ts";
import type { Feed } from "./feed.ts";
import { isLive } from "./rows.ts";

/** Why and when sessions end. */
interface Ending {
  readonly reason: RevokeReason;
  readonly now: number;
}

/** The ways in which sessions end; each only inside a write. Only live sessions end, and only they are counted. */
export interface Revocations {
  /** Ends one session; with `userId`, only where it is that user's. */
  readonly revokeOne: (sessionId: string, ending: Ending, userId?: string) => RevokedSessions;
  /** Ends every session of the user but `except`, with an entry for each. The epoch stays. */
  readonly revokeOthers: (userId: string, except: string, ending: Ending) => RevokedSessions;
  /** Raises the user's epoch and ends every session but `except`, with one entry. `null`: no such user. */
  readonly raiseEpoch: (userId: string, ending: Ending, except?: string) => RaisedEpoch | null;
  /** Ends every session there is, with one entry. */
  readonly revokeAll: (ending: Ending) => RevokedSessions;
}

interface RaisedEpoch {
  readonly epoch: number;
  readonly revoked: RevokedSessions;
}

const revokeLive = `UPDATE sessions SET revoked_at = :now, revoke_reason = :reason WHERE ${isLive}`;

/** The `Endings` over `connection`, which are written to `feed`. */
export function createRevocations(connection: Connection, feed: Feed): Revocations {
  /** One entry for each session that the statement `sql` ends. */
  function revokeEach(
    sql: string,
    { reason, now }: Ending,
    parameters: Record<string, string | null>,
  ): RevokedSessions {
    const rows = connection.prepare(sql).all({ ...parameters, reason, now });
    const revocations = rows.map((row) => feed.append({ kind: "session", sessionId: String(row["id"]), at: now }));
    return { sessions: rows.length, revocations };
  }

  return {
    revokeOne(sessionId, ending, userId) {
      const sql = `${revokeLive} AND id = :sessionId AND user_id = coalesce(:userId, user_id) RETURNING id`;
      return revokeEach(sql, ending, { sessionId, userId: userId ?? null });
    },

    revokeOthers(userId, except, ending) {
      return revokeEach(`${revokeLive} AND user_id = :userId AND id <> :except RETURNING id`, ending, {
        userId,
        except,
      });
    },

    raiseEpoch(userId, { reason, now }, except) {
      const raised = connection
        .prepare("UPDATE users SET epoch = epoch + 1 WHERE id = :userId RETURNING epoch")
        .get({ userId });
      if (raised === undefined) return null;
      const epoch = Number(raised["epoch"]);
      const { changes } = connection
        .prepare(`${revokeLive} AND user_id = :userId AND id IS NOT :except`)
        .run({ userId, except: except ?? null, reason, now });
      const revocation = feed.append({ kind: "user", userId, epoch, at: now });
      return { epoch, revoked: { sessions: Number(changes), revocations: [revocation] } };
    },

    revokeAll({ reason, now }) {
      const { changes } = connection.prepare(revokeLive).run({ reason, now });
      return { sessions: Number(changes), revocations: [feed.append({ kind: "all", at: now })] };
    },
  };
}
