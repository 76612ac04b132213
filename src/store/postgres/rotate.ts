import type { Rotation, SessionStore } from "../../core/store/sessions.ts";
import { alone, createBatcher } from "../batcher.ts";
import { type RotatedRow, toRotated } from "../rotated.ts";
import type { Connection } from "./connection/connection.ts";
import type { Behaviour } from "./connection/options.ts";
import { clock } from "./connection/statement.ts";
import { isRowSpecific } from "./connection/unavailable.ts";
import { isUsable } from "./rows.ts";

/** How many batches may be under way, each on a connection of its own. */
const maxUnderWay = 2;

/** How many rotations a batch may have. */
const maxItems = 128;

/** Milliseconds that the only one of a batch may wait for its row, before it makes way and waits outside of the batches. */
const longestWait = 10;

const operation = "sessions.rotate";

/** One presented refresh token, under the names that the UPDATE knows. */
const one = `SELECT 1::bigint AS position, :sessionId::text AS session_id, :generation::bigint AS presented_generation,
  :presentedHash::bytea AS presented_hash, :nextHash::bytea AS next_hash, :salt::bytea AS next_salt,
  :idempotencyHash::bytea AS next_attempt_hash, :idleLifetime::bigint AS idle_lifetime,
  :userAgent::text AS next_user_agent, :ip::text AS next_ip`;

/** The same for many: every parameter is an array, and `position` counts from 1. */
const many = `SELECT * FROM unnest(:sessionId::text[], :generation::bigint[], :presentedHash::bytea[], :nextHash::bytea[],
    :salt::bytea[], :idempotencyHash::bytea[], :idleLifetime::bigint[], :userAgent::text[], :ip::text[])
  WITH ORDINALITY AS presented (session_id, presented_generation, presented_hash, next_hash, next_salt,
    next_attempt_hash, idle_lifetime, next_user_agent, next_ip, position)`;

/** Step 2 of a refresh, for each row of `presented`: the one conditional UPDATE. */
const update = (presented: string, alsoReturned = "") => `UPDATE tokenpair.sessions SET generation = generation + 1,
    previous_hash = current_hash, current_hash = next_hash, salt = next_salt, attempt_hash = next_attempt_hash,
    rotated_at = now, last_used_at = now, idle_expires_at = least(now + idle_lifetime, absolute_expires_at),
    user_agent = coalesce(next_user_agent, user_agent), ip = coalesce(next_ip, ip)
  FROM clock, ${presented} WHERE id = session_id AND generation = presented_generation
    AND current_hash = presented_hash AND ${isUsable}
  RETURNING position, user_id, user_epoch, created_at, idle_expires_at, absolute_expires_at, persistent,
    user_agent, ip, label, now${alsoReturned}`;

// The entry of a rotation's event, as `toAuditRow` would make it.
const log = `logged AS (INSERT INTO tokenpair.audit_log (at, type, user_id, session_id, ip, user_agent, details)
  SELECT now, 'refresh', user_id, session_id, next_ip, next_user_agent,
    '{"outcome":"rotated","generation":' || presented_generation || '}' FROM rotated)`;

const forLog = ", session_id, presented_generation, next_ip, next_user_agent";

const columns = `user_id AS "userId", user_epoch AS "userEpoch", created_at AS "createdAt",
  idle_expires_at AS "idleExpiresAt", absolute_expires_at AS "absoluteExpiresAt", persistent,
  user_agent AS "userAgent", ip, label, now`;

/** One rotation by itself; waits for whoever holds the row. */
export const rotateOne = `WITH ${clock}, rotated AS (${update(`(${one}) AS presented`)}) SELECT ${columns} FROM rotated`;

// A row that somebody else has locked is passed over, and its rotation goes alone: nobody waits for another's row, and
// two batches never wait for each other. A row that was held and not updated did not match.
const hold = `presented AS (${many}),
  held AS (SELECT presented.* FROM presented CROSS JOIN LATERAL
    (SELECT FROM tokenpair.sessions WHERE id = session_id FOR NO KEY UPDATE SKIP LOCKED) AS session)`;
const answerMany = `SELECT position, ${columns} FROM held LEFT JOIN rotated USING (position)`;
const rotateMany = `WITH ${clock}, ${hold}, rotated AS (${update("held")}) ${answerMany}`;

const rotateOneAudited = `WITH ${clock}, rotated AS (${update(`(${one}) AS presented`, forLog)}), ${log}
  SELECT ${columns} FROM rotated`;
const rotateManyAudited = `WITH ${clock}, ${hold}, rotated AS (${update("held", forLog)}), ${log} ${answerMany}`;

type Rotated = Awaited<ReturnType<SessionStore["rotate"]>>;

interface Row extends RotatedRow {
  /** `null`: the row did not match. */
  readonly now: number | null;
}

/** `SessionStore.rotate`, with group commit: rotations that arrive while others are under way are committed together. */
export function createRotate(connection: Connection, behaviour: Behaviour): SessionStore["rotate"] {
  const shortWait = Math.min(longestWait, behaviour.lockTimeout);

  async function rotateAlone(rotation: Rotation, lockTimeout: number): Promise<Rotated> {
    const { isAudited = false, ...presented } = rotation;
    const sql = isAudited ? rotateOneAudited : rotateOne;
    const [row] = await connection.run<Row>(operation, sql, { ...presented, lockTimeout: String(lockTimeout) });
    return toAnswer(rotation, row);
  }

  async function rotateBatch(rotations: readonly Rotation[]): Promise<readonly (Rotated | typeof alone)[]> {
    // One setting decides for all rotations of a store's process; where it does not, too much is better than too little.
    const sql = rotations.some(({ isAudited = false }) => isAudited) ? rotateManyAudited : rotateMany;
    const rows = await connection.run<Row & { readonly position: number }>(operation, sql, toArrays(rotations));
    const held = new Map(rows.map((row) => [row.position, row]));
    return rotations.map((rotation, i) => {
      const row = held.get(i + 1);
      return row === undefined ? alone : toAnswer(rotation, row);
    });
  }

  async function rotateTogether(rotations: readonly Rotation[]): Promise<readonly (Rotated | typeof alone)[]> {
    const [first, second] = rotations;
    try {
      // Without company the plain statement does, at half the cost for the database.
      if (first !== undefined && second === undefined) return [await rotateAlone(first, shortWait)];
      return await rotateBatch(rotations);
    } catch (error) {
      if (!isRowSpecific(error)) throw error;
      return rotations.map(() => alone);
    }
  }

  return createBatcher({
    together: rotateTogether,
    alone: (rotation) => rotateAlone(rotation, behaviour.lockTimeout),
    toKey: ({ sessionId }) => sessionId,
    toOperation: () => operation,
    maxUnderWay,
    maxItems,
    maxWaiting: behaviour.maxWaiting,
    patience: behaviour.connectTimeout,
    onRefuse: connection.noteRefusal,
  });
}

/** The parameters of `rotateMany`. */
function toArrays(rotations: readonly Rotation[]) {
  return {
    sessionId: rotations.map((rotation) => rotation.sessionId),
    generation: rotations.map((rotation) => rotation.generation),
    presentedHash: rotations.map((rotation) => rotation.presentedHash),
    nextHash: rotations.map((rotation) => rotation.nextHash),
    salt: rotations.map((rotation) => rotation.salt),
    idempotencyHash: rotations.map((rotation) => rotation.idempotencyHash),
    idleLifetime: rotations.map((rotation) => rotation.idleLifetime),
    userAgent: rotations.map((rotation) => rotation.userAgent),
    ip: rotations.map((rotation) => rotation.ip),
  };
}

function toAnswer(rotation: Rotation, row: Row | undefined): Rotated {
  return row === undefined || row.now === null ? null : toRotated(rotation, row, row.now);
}
