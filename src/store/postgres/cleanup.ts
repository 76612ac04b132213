import type { DeletedCounts, DeleteExpiredOptions } from "../../core/store/index.ts";
import type { Connection } from "./connection/connection.ts";
import { clock } from "./connection/statement.ts";

/** Rows that `condition` names, `:limit` at most; rows that somebody else holds are left for the next time. */
const some = (table: string, key: string, condition: string) => `WITH ${clock}, found AS MATERIALIZED (
  SELECT ${key} AS found_key FROM tokenpair.${table}, clock WHERE ${condition}
  LIMIT :limit FOR UPDATE OF ${table} SKIP LOCKED)`;

const deleteSessions = `${some("sessions", "id", "cleanup_at <= now AND idle_expires_at <= now")}
  DELETE FROM tokenpair.sessions USING found WHERE id = found_key RETURNING id`;

const deleteRevoked = `${some("sessions", "id", "revoked_at < now - :horizon::bigint")}
  DELETE FROM tokenpair.sessions USING found WHERE id = found_key RETURNING id`;

// A session that was used since its time for cleanup was set gets a new time.
const postpone = `${some("sessions", "id", "cleanup_at <= now AND idle_expires_at > now")}
  UPDATE tokenpair.sessions SET cleanup_at = idle_expires_at FROM found WHERE id = found_key RETURNING id`;

const deleteRevocations = `${some("revocations", "seq", "at < now - :horizon::bigint")}
  DELETE FROM tokenpair.revocations USING found WHERE seq = found_key RETURNING seq`;

const deleteFailureCounts = `${some("login_failures", "key", "expires_at <= now")}
  DELETE FROM tokenpair.login_failures USING found WHERE key = found_key RETURNING key`;

const deleteAuditEntries = `${some("audit_log", "seq", "at < now - :auditHorizon::bigint")}
  DELETE FROM tokenpair.audit_log USING found WHERE seq = found_key RETURNING seq`;

/**
 * Deletes at most `limit` sessions that have expired or were revoked more than `horizon` seconds ago, at most `limit`
 * revocations older than that, at most `limit` counts of failed logins whose time is over, and at most `limit` audit
 * entries older than `auditHorizon`. Each kind in a transaction of its own, so that locks are held briefly; several processes
 * may do it at once.
 */
export async function deleteExpired(
  connection: Connection,
  { limit, horizon, auditHorizon }: DeleteExpiredOptions,
): Promise<DeletedCounts> {
  const count = async (sql: string, parameters: Record<string, number>) =>
    (await connection.run("deleteExpired", sql, parameters)).length;

  // All of them, or the search for the expired ones would pass over more and more of these.
  while (limit > 0 && (await count(postpone, { limit })) === limit);
  const expired = await count(deleteSessions, { limit });
  const revoked = await count(deleteRevoked, { horizon, limit: limit - expired });
  const revocations = await count(deleteRevocations, { horizon, limit });
  const auditEntries = auditHorizon === undefined ? 0 : await count(deleteAuditEntries, { auditHorizon, limit });
  const failures = await count(deleteFailureCounts, { limit });
  return { sessions: expired + revoked, revocations, failures, auditEntries };
}
