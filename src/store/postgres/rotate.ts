import type { Rotation, SessionAt, SessionStore } from "../../core/store/sessions.ts";
import { createBatcher, leftOut } from "../batcher.ts";
import type { PostgresConnection } from "./connection/connection.ts";
import { isRowSpecific } from "./connection/errors.ts";
import type { Behaviour } from "./connection/options.ts";
import { clock } from "./connection/statement.ts";
import { type RotatedRow, toRotatedSession } from "./rotated-session.ts";
import { authenticatedAt, globalEpoch, isUsable } from "./rows.ts";

/** The maximum number of batches that run at the same time, each on its own connection. */
const maxConcurrent = 2;

/** The maximum number of rotations in a batch. */
const maxItems = 128;

/**
 * The number of milliseconds for which a batch of one rotation waits for its row. After that, the rotation waits outside of
 * the batches.
 */
const longestWait = 10;

const operation = "sessions.rotate";

/** One presented refresh token, with the names that the UPDATE uses. */
const one = `SELECT 1::bigint AS position, :sessionId::text AS session_id, :userId::text AS presented_user,
  :userEpoch::bigint AS presented_epoch, :generation::bigint AS presented_generation,
  :presentedHash::bytea AS presented_hash, :nextHash::bytea AS next_hash, :salt::bytea AS next_salt,
  :idempotencyHash::bytea AS next_attempt_hash, :idleLifetime::bigint AS idle_lifetime,
  :accessLifetime::bigint AS access_lifetime,
  :userAgent::text AS next_user_agent, :ip::text AS next_ip`;

/** Many presented refresh tokens. Every parameter is an array, and `position` starts at 1. */
const many = `SELECT * FROM unnest(:sessionId::text[], :userId::text[], :userEpoch::bigint[], :generation::bigint[],
    :presentedHash::bytea[], :nextHash::bytea[], :salt::bytea[], :idempotencyHash::bytea[], :idleLifetime::bigint[],
    :accessLifetime::bigint[], :userAgent::text[], :ip::text[])
  WITH ORDINALITY AS presented (session_id, presented_user, presented_epoch, presented_generation, presented_hash,
    next_hash, next_salt, next_attempt_hash, idle_lifetime, access_lifetime, next_user_agent, next_ip, position)`;

/** Returns the conditional UPDATE of step 2 of a refresh, for each row of `presented`. */
const update = (presented: string, alsoReturned = "") => `UPDATE tokenpair.sessions SET generation = generation + 1,
    previous_hash = current_hash, current_hash = next_hash, salt = next_salt, attempt_hash = next_attempt_hash,
    rotated_at = now, last_used_at = now, idle_expires_at = least(now + idle_lifetime, absolute_expires_at),
    access_until = greatest(access_until, least(now + access_lifetime, absolute_expires_at)),
    user_agent = coalesce(next_user_agent, user_agent), ip = coalesce(next_ip, ip)
  FROM clock, ${presented} WHERE id = session_id AND user_id = presented_user AND user_epoch >= presented_epoch
    AND generation = presented_generation AND current_hash = presented_hash AND ${isUsable}
  RETURNING position, user_id, user_epoch, least_epoch, access_until, change_hash, created_at, authenticated_at,
    amr, actor, idle_expires_at, absolute_expires_at, persistent,
    user_agent, ip, label, now${alsoReturned}`;

// The audit entry of each rotation, as `toAuditRow` of src/events would make it.
const logged = `logged AS (INSERT INTO tokenpair.audit_log (at, type, user_id, session_id, ip, user_agent, actor, details)
  SELECT now, 'refresh', user_id, session_id, next_ip, next_user_agent, actor,
    '{"outcome":"rotated","generation":' || presented_generation || '}' FROM rotated)`;

const loggedColumns = ", session_id, presented_generation, next_ip, next_user_agent";

const columns = `user_id AS "userId", user_epoch AS "userEpoch", least_epoch AS "leastEpoch",
  access_until AS "accessUntil", change_hash AS "changeHash", ${globalEpoch} AS "globalEpoch", created_at AS "createdAt",
  ${authenticatedAt} AS "authenticatedAt", amr, actor,
  idle_expires_at AS "idleExpiresAt", absolute_expires_at AS "absoluteExpiresAt", persistent,
  user_agent AS "userAgent", ip, label, now`;

/** Rotates one session. If another transaction has locked the row, waits for it. */
export const rotateOne = `WITH ${clock}, rotated AS (${update(`(${one}) AS presented`)}) SELECT ${columns} FROM rotated`;

// Skips locked rows, whose rotations then run alone. So no rotation waits for another's row, and two batches never wait
// for each other. A row that was held and not updated did not match.
const held = `presented AS (${many}),
  held AS (SELECT presented.* FROM presented CROSS JOIN LATERAL
    (SELECT FROM tokenpair.sessions WHERE id = session_id FOR NO KEY UPDATE SKIP LOCKED) AS session)`;
const selectMany = `SELECT position, ${columns} FROM held LEFT JOIN rotated USING (position)`;
const rotateMany = `WITH ${clock}, ${held}, rotated AS (${update("held")}) ${selectMany}`;

const rotateOneAudited = `WITH ${clock}, rotated AS (${update(`(${one}) AS presented`, loggedColumns)}), ${logged}
  SELECT ${columns} FROM rotated`;
const rotateManyAudited = `WITH ${clock}, ${held}, rotated AS (${update("held", loggedColumns)}), ${logged} ${selectMany}`;

interface Row extends RotatedRow {
  /** The time of the rotation, or `null` if the row did not match. */
  readonly now: number | null;
}

/** Creates `sessions.rotate`. Rotations that arrive while others are running are committed together. */
export function createRotate(connection: PostgresConnection, behaviour: Behaviour): SessionStore["rotate"] {
  const shortWait = Math.min(longestWait, behaviour.lockTimeout);

  async function rotateAlone(rotation: Rotation, lockTimeout: number): Promise<SessionAt | null> {
    const { isAudited = false, ...presented } = rotation;
    const sql = isAudited ? rotateOneAudited : rotateOne;
    const [row] = await connection.run<Row>(operation, sql, { ...presented, lockTimeout: String(lockTimeout) });
    return toResult(rotation, row);
  }

  async function rotateBatch(rotations: readonly Rotation[]): Promise<readonly (SessionAt | null | typeof leftOut)[]> {
    // One setting applies to all rotations of a process. If they differ nonetheless, an entry too many is better than
    // one too few.
    const sql = rotations.some(({ isAudited = false }) => isAudited) ? rotateManyAudited : rotateMany;
    const rows = await connection.run<Row & { readonly position: number }>(operation, sql, toArrays(rotations));
    const held = new Map(rows.map((row) => [row.position, row]));
    return rotations.map((rotation, i) => {
      const row = held.get(i + 1);
      return row === undefined ? leftOut : toResult(rotation, row);
    });
  }

  async function runBatch(rotations: readonly Rotation[]): Promise<readonly (SessionAt | null | typeof leftOut)[]> {
    const [first, second] = rotations;
    try {
      // For a single rotation, the plain statement costs the database half as much.
      if (first !== undefined && second === undefined) return [await rotateAlone(first, shortWait)];
      return await rotateBatch(rotations);
    } catch (error) {
      if (!isRowSpecific(error)) throw error;
      return rotations.map(() => leftOut);
    }
  }

  return createBatcher({
    runBatch,
    runAlone: (rotation) => rotateAlone(rotation, behaviour.lockTimeout),
    toKey: ({ sessionId }) => sessionId,
    toOperation: () => operation,
    maxConcurrent,
    maxItems,
    maxWaiting: behaviour.maxWaiting,
    maxWait: behaviour.connectTimeout,
    onReject: connection.countRefusal,
  });
}

/** Converts rotations to the parameters of `rotateMany`. */
function toArrays(rotations: readonly Rotation[]) {
  return {
    sessionId: rotations.map((rotation) => rotation.sessionId),
    userId: rotations.map((rotation) => rotation.userId),
    userEpoch: rotations.map((rotation) => rotation.userEpoch),
    generation: rotations.map((rotation) => rotation.generation),
    presentedHash: rotations.map((rotation) => rotation.presentedHash),
    nextHash: rotations.map((rotation) => rotation.nextHash),
    salt: rotations.map((rotation) => rotation.salt),
    idempotencyHash: rotations.map((rotation) => rotation.idempotencyHash),
    idleLifetime: rotations.map((rotation) => rotation.idleLifetime),
    accessLifetime: rotations.map((rotation) => rotation.accessLifetime),
    userAgent: rotations.map((rotation) => rotation.userAgent),
    ip: rotations.map((rotation) => rotation.ip),
  };
}

function toResult(rotation: Rotation, row: Row | undefined): SessionAt | null {
  return row === undefined || row.now === null ? null : toRotatedSession(rotation, row, row.now);
}
