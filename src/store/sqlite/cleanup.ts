import type { DeletedCounts, DeleteExpiredOptions } from "../../core/store/index.ts";
import type { Connection } from "./connection/connection.ts";

const deleteSessions = `DELETE FROM sessions WHERE id IN
  (SELECT id FROM sessions WHERE cleanup_at <= :now AND idle_expires_at <= :now LIMIT :limit)`;

const deleteRevoked =
  "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE revoked_at < :since LIMIT :limit)";

// A session that was used since its time for cleanup was set gets a new time.
const postpone = `UPDATE sessions SET cleanup_at = idle_expires_at WHERE id IN
  (SELECT id FROM sessions WHERE cleanup_at <= :now AND idle_expires_at > :now LIMIT :limit)`;

const deleteRevocations = `DELETE FROM revocations WHERE seq IN
  (SELECT seq FROM revocations WHERE at < :since LIMIT :limit)`;

const deleteFailureCounts = `DELETE FROM login_failures WHERE key IN
  (SELECT key FROM login_failures WHERE expires_at <= :now LIMIT :limit)`;

const deleteAuditEntries = `DELETE FROM audit_log WHERE seq IN
  (SELECT seq FROM audit_log WHERE at < :since LIMIT :limit)`;

/**
 * Deletes, in one transaction after those that postpone, at most `limit` sessions that have expired or were revoked more
 * than `horizon` seconds ago, at most `limit` revocations older than that, at most `limit` counts of failed logins whose
 * time is over, and at most `limit` audit entries older than `auditHorizon`.
 */
export async function deleteExpired(
  connection: Connection,
  { limit, horizon, auditHorizon }: DeleteExpiredOptions,
): Promise<DeletedCounts> {
  const run = (sql: string, parameters: Record<string, number>) =>
    Number(connection.prepare(sql).run(parameters).changes);

  // All of them, or the search for the expired ones would pass over more and more of these.
  while (limit > 0 && (await connection.write("deleteExpired", (now) => run(postpone, { now, limit }))) === limit);
  return connection.write("deleteExpired", (now) => {
    const since = now - horizon;
    const expired = run(deleteSessions, { now, limit });
    const revoked = run(deleteRevoked, { since, limit: limit - expired });
    const revocations = run(deleteRevocations, { since, limit });
    const auditEntries = auditHorizon === undefined ? 0 : run(deleteAuditEntries, { since: now - auditHorizon, limit });
    const failures = run(deleteFailureCounts, { now, limit });
    return { sessions: expired + revoked, revocations, failures, auditEntries };
  });
}
