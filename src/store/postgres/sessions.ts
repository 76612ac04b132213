import { maxMethods } from "../../core/authentication.ts";
import type { RevokeReason } from "../../core/session.ts";
import {
  type CreateSessionOutcome,
  nothingRevoked,
  type SessionSnapshot,
  type SessionStore,
} from "../../core/store/sessions.ts";
import { recordChange } from "./audit.ts";
import type { PostgresConnection, Run } from "./connection/connection.ts";
import type { Behaviour } from "./connection/options.ts";
import { clock } from "./connection/statement.ts";
import { requireAllowed } from "./guard.ts";
import type { SessionInserter } from "./new-session.ts";
import type { Revocations } from "./revocations.ts";
import { createRotate } from "./rotate.ts";
import { globalEpoch, isLiveInEpoch, isUsable, type SessionRow, sessionColumns, toSessionAt } from "./rows.ts";

const touch = `WITH ${clock}
  UPDATE tokenpair.sessions SET last_used_at = now,
    access_until = greatest(access_until, least(now + :accessLifetime::bigint, absolute_expires_at)),
    rotated_at = CASE WHEN :issuesRefreshToken::boolean THEN now ELSE rotated_at END,
    user_agent = coalesce(:userAgent, user_agent), ip = coalesce(:ip, ip)
  FROM clock WHERE id = :sessionId AND user_id = :userId AND user_epoch >= :userEpoch::bigint
    AND generation = :generation::bigint AND current_hash = :presentedHash AND ${isUsable}
  RETURNING ${sessionColumns}, now, ${globalEpoch} AS "globalEpoch"`;

// The methods in the order of their last use, and no more than a session can have.
const reauthenticate = `WITH ${clock}
  UPDATE tokenpair.sessions SET authenticated_at = now,
    access_until = greatest(access_until, least(now + :accessLifetime::bigint, absolute_expires_at)),
    amr = (SELECT string_agg(method, ' ' ORDER BY place) FROM (
      SELECT method, max(position) AS place
      FROM unnest(string_to_array(coalesce(amr || ' ', '') || :amr::text, ' ')) WITH ORDINALITY AS used (method, position)
      GROUP BY method ORDER BY place DESC LIMIT ${maxMethods}) AS latest)
  FROM clock WHERE id = :sessionId AND user_id = :userId AND user_epoch = coalesce(:userEpoch::integer, user_epoch)
    AND actor IS NULL AND ${isUsable}
  RETURNING ${sessionColumns}, now, ${globalEpoch} AS "globalEpoch"`;

const label = `WITH ${clock}
  UPDATE tokenpair.sessions SET label = :label
  FROM clock WHERE id = :sessionId AND user_id = :userId AND ${isLiveInEpoch}
  RETURNING ${sessionColumns}, now, ${globalEpoch} AS "globalEpoch"`;

const extendAccess = `UPDATE tokenpair.sessions SET access_until = greatest(access_until, :accessUntil::bigint)
  WHERE id = :sessionId`;

const lockSession = "SELECT FROM tokenpair.sessions WHERE id = :sessionId FOR UPDATE";

const find = `WITH ${clock}
  SELECT ${sessionColumns}, now, ${globalEpoch} AS "globalEpoch", owner_is_active AS "ownerIsActive",
    owner_epoch AS "ownerEpoch", owner_epoch_reason AS "ownerEpochReason"
  FROM clock, tokenpair.sessions
  LEFT JOIN (SELECT id AS owner_id, is_active AS owner_is_active, epoch AS owner_epoch,
    epoch_reason AS owner_epoch_reason FROM tokenpair.users) AS owner
    ON owner_id = user_id
  WHERE id = :sessionId`;

/**
 * Returns the statement that lists live sessions, newest first. If there are no sessions, the statement returns one row
 * that contains only the time.
 */
const list = (condition: string) => `WITH ${clock}
  SELECT live.*, now FROM clock LEFT JOIN LATERAL (
    SELECT ${sessionColumns} FROM tokenpair.sessions WHERE ${isLiveInEpoch} AND ${condition}
    ORDER BY created_at DESC, id DESC LIMIT :limit) AS live ON true
  ORDER BY "createdAt" DESC, id DESC`;
const listAll = list("true");
const listForUser = list("user_id = :userId");

type FoundRow = SessionRow & {
  readonly ownerIsActive: boolean | null;
  readonly ownerEpoch: number;
  readonly ownerEpochReason: RevokeReason | null;
};

/** Creates the store of the table `sessions`. */
export function createSessionStore(
  connection: PostgresConnection,
  revocations: Revocations,
  inserter: SessionInserter,
  behaviour: Behaviour,
): SessionStore {
  async function readSnapshot(run: Run, sessionId: string): Promise<SessionSnapshot | null> {
    const [row] = await run<FoundRow>(find, { sessionId });
    if (row === undefined) return null;
    const { now, globalEpoch: ge, ownerIsActive: isActive, ownerEpoch: epoch, ownerEpochReason, ...session } = row;
    const user = isActive === null ? null : { isActive, epoch, epochReason: ownerEpochReason };
    return { session, user, now, globalEpoch: ge };
  }

  return {
    create: (session, audit) =>
      connection.transact("sessions.create", async (transaction): Promise<CreateSessionOutcome> => {
        const { refusal: reason, user } = await inserter.lockUser(transaction, session);
        if (reason !== null) return { outcome: "refused", reason };
        return recordChange(transaction.run, audit, await inserter.insert(transaction, session, user));
      }),

    rotate: createRotate(connection, behaviour),

    touch: async (use) =>
      toSessionAt(await connection.run("sessions.touch", touch, { issuesRefreshToken: false, ...use })),

    decide: (sessionId, decide, { audit, confirm } = {}) =>
      connection.transact("sessions.decide", async (transaction) => {
        const { run } = transaction;
        await run(lockSession, { sessionId });
        const { result, revoke: reason, accessUntil } = decide(await readSnapshot(run, sessionId));
        if (accessUntil !== undefined) await run(extendAccess, { sessionId, accessUntil });
        const revoked =
          reason === undefined
            ? nothingRevoked
            : await revocations.revokeOne(transaction, sessionId, { reason, confirm });
        return recordChange(run, audit, { result, ...revoked });
      }),

    reauthenticate: (change, audit) =>
      connection.transact("sessions.reauthenticate", async ({ run }) =>
        recordChange(run, audit, toSessionAt(await run<SessionRow>(reauthenticate, { ...change }))),
      ),

    find: (sessionId) => readSnapshot((sql, parameters) => connection.run("sessions.find", sql, parameters), sessionId),

    async list({ userId, limit }) {
      const rows = await connection.run<SessionRow>(
        "sessions.list",
        userId === undefined ? listAll : listForUser,
        userId === undefined ? { limit } : { userId, limit },
      );
      const sessions = rows.filter(({ id }) => id !== null).map(({ now, globalEpoch: _, ...session }) => session);
      return { sessions, now: (rows[0] as SessionRow).now };
    },

    async label(sessionId, userId, text) {
      return (
        toSessionAt(await connection.run("sessions.label", label, { sessionId, userId, label: text }))?.session ?? null
      );
    },

    revoke: (sessionId, reason, { audit, guard, ...options } = {}) =>
      connection.transact("sessions.revoke", async (transaction) => {
        await requireAllowed(transaction.run, guard);
        return recordChange(
          transaction.run,
          audit,
          await revocations.revokeOne(transaction, sessionId, { reason, ...options }),
        );
      }),

    revokeEach: (sessionIds, reason, { audit, guard, ...options } = {}) =>
      connection.transact("sessions.revokeEach", async (transaction) => {
        await requireAllowed(transaction.run, guard);
        const revoked = await revocations.revokeEach(transaction, sessionIds, { reason, ...options });
        return recordChange(transaction.run, audit, revoked);
      }),

    revokeForUser: (userId, reason, { audit, confirm, guard, by } = {}) =>
      connection.transact("sessions.revokeForUser", async (transaction) => {
        await requireAllowed(transaction.run, guard);
        const isAllowed = by === undefined || (await revocations.isOwnerLive(transaction, { sessionId: by, userId }));
        const raised = isAllowed ? await revocations.raiseEpoch(transaction, userId, { reason, confirm }) : null;
        return recordChange(transaction.run, audit, raised?.revoked ?? nothingRevoked);
      }),

    revokeOthers: (owner, reason, { audit, ...options } = {}) =>
      connection.transact("sessions.revokeOthers", async (transaction) =>
        recordChange(
          transaction.run,
          audit,
          await revocations.revokeOthers(transaction, owner, { reason, ...options }),
        ),
      ),

    revokeAll: (reason, { audit, confirm, guard } = {}) =>
      connection.transact(
        "sessions.revokeAll",
        async (transaction) => {
          await requireAllowed(transaction.run, guard);
          return recordChange(transaction.run, audit, await revocations.revokeAll(transaction, { reason, confirm }));
        },
        { isUnbounded: true },
      ),
  };
}
