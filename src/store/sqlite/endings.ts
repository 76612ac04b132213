import type { RevokeReason } from "../../core/session.ts";
import type { Ended } from "../../core/store.ts";
import type { Connection } from "./connection.ts";
import type { Feed } from "./feed.ts";
import { isLive } from "./rows.ts";

/** Why and when sessions end. */
interface Ending {
  readonly reason: RevokeReason;
  readonly now: number;
}

/** The ways in which sessions end; each only inside a write. Only live sessions end, and only they are counted. */
export interface Endings {
  /** Ends one session; with `userId`, only where it is that user's. */
  readonly endSession: (sessionId: string, ending: Ending, userId?: string) => Ended;
  /** Ends every session of the user but `except`, with an entry for each. The epoch stays. */
  readonly endOthers: (userId: string, except: string, ending: Ending) => Ended;
  /** Raises the user's epoch and ends every session but `except`, with one entry. `null`: no such user. */
  readonly raiseEpoch: (userId: string, ending: Ending, except?: string) => RaisedEpoch | null;
  /** Ends every session there is, with one entry. */
  readonly endAll: (ending: Ending) => Ended;
}

interface RaisedEpoch {
  readonly epoch: number;
  readonly ended: Ended;
}

const endLive = `UPDATE sessions SET revoked_at = :now, revoke_reason = :reason WHERE ${isLive}`;

/** The `Endings` over `connection`, which are written to `feed`. */
export function createEndings(connection: Connection, feed: Feed): Endings {
  /** One entry for each session that the statement `sql` ends. */
  function endEach(sql: string, { reason, now }: Ending, parameters: Record<string, string | null>): Ended {
    const rows = connection.prepare(sql).all({ ...parameters, reason, now });
    const revocations = rows.map((row) => feed.append({ kind: "session", sessionId: String(row["id"]), at: now }));
    return { sessions: rows.length, revocations };
  }

  return {
    endSession(sessionId, ending, userId) {
      const sql = `${endLive} AND id = :sessionId AND user_id = coalesce(:userId, user_id) RETURNING id`;
      return endEach(sql, ending, { sessionId, userId: userId ?? null });
    },

    endOthers(userId, except, ending) {
      return endEach(`${endLive} AND user_id = :userId AND id <> :except RETURNING id`, ending, { userId, except });
    },

    raiseEpoch(userId, { reason, now }, except) {
      const raised = connection
        .prepare("UPDATE users SET epoch = epoch + 1 WHERE id = :userId RETURNING epoch")
        .get({ userId });
      if (raised === undefined) return null;
      const epoch = Number(raised["epoch"]);
      const { changes } = connection
        .prepare(`${endLive} AND user_id = :userId AND id IS NOT :except`)
        .run({ userId, except: except ?? null, reason, now });
      const revocation = feed.append({ kind: "user", userId, epoch, at: now });
      return { epoch, ended: { sessions: Number(changes), revocations: [revocation] } };
    },

    endAll({ reason, now }) {
      const { changes } = connection.prepare(endLive).run({ reason, now });
      return { sessions: Number(changes), revocations: [feed.append({ kind: "all", at: now })] };
    },
  };
}
