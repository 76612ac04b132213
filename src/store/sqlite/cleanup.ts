import type { DeletedCounts, DeleteExpiredOptions } from "../../core/store/index.ts";
import { longestUnknownAccess } from "../revocation-row.ts";
import type { SqliteConnection } from "./connection/connection.ts";

const deleteSessions = `DELETE FROM sessions WHERE id IN
  (SELECT id FROM sessions WHERE cleanup_at <= :now AND idle_expires_at <= :now LIMIT :limit)`;

const deleteRevoked = `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions
  WHERE revoked_at < :since AND coalesce(access_until, revoked_at + ${longestUnknownAccess}) < :since LIMIT :limit)`;

// The session was used after its cleanup time was set, so it gets a new one.
const postpone = `UPDATE sessions SET cleanup_at = idle_expires_at WHERE id IN
  (SELECT id FROM sessions WHERE cleanup_at <= :now AND idle_expires_at > :now LIMIT :limit)`;

const deleteRevocations = `DELETE FROM revocations WHERE seq IN
  (SELECT seq FROM revocations WHERE coalesce(until, at + ${longestUnknownAccess}) < :since LIMIT :limit)`;

const deleteFailureCounts = `DELETE FROM login_failures WHERE key IN
  (SELECT key FROM login_failures WHERE expires_at <= :now LIMIT :limit)`;

// Its token is refused from then on because it has expired, also by a node whose clock is behind.
const deleteLegacyTokens = `DELETE FROM legacy_tokens WHERE jti IN
  (SELECT jti FROM legacy_tokens WHERE expires_at < :since LIMIT :limit)`;

const deleteLoginTickets = `DELETE FROM login_tickets WHERE hash IN
  (SELECT hash FROM login_tickets WHERE expires_at <= :now LIMIT :limit)`;

const deleteAuditEntries = `DELETE FROM audit_log WHERE seq IN
  (SELECT seq FROM audit_log WHERE at < :since LIMIT :limit)`;

/**
 * Deletes at most `limit` rows of each kind in one transaction: expired sessions, revoked sessions, revocations, tokens of
 * another system, expired counts of failed logins, and audit entries. Revoked sessions, revocations and tokens are deleted
 * `horizon` seconds after the last token has expired, and audit entries after `auditHorizon` seconds. Before that, separate
 * transactions set new cleanup times for sessions that are still in use.
 */
export async function deleteExpired(
  connection: SqliteConnection,
  { limit, horizon, auditHorizon }: DeleteExpiredOptions,
): Promise<DeletedCounts> {
  const run = (sql: string, parameters: Record<string, number>) =>
    Number(connection.prepare(sql).run(parameters).changes);

  // All of them: otherwise the search for expired sessions would have to skip more and more of these.
  while (limit > 0 && (await connection.write("deleteExpired", (now) => run(postpone, { now, limit }))) === limit);
  return connection.write("deleteExpired", (now) => {
    const since = now - horizon;
    const expired = run(deleteSessions, { now, limit });
    const revoked = run(deleteRevoked, { since, limit: limit - expired });
    const revocations = run(deleteRevocations, { since, limit });
    const auditEntries = auditHorizon === undefined ? 0 : run(deleteAuditEntries, { since: now - auditHorizon, limit });
    const failures = run(deleteFailureCounts, { now, limit });
    const legacyTokens = run(deleteLegacyTokens, { since, limit });
    const loginTickets = run(deleteLoginTickets, { now, limit });
    return { sessions: expired + revoked, revocations, failures, auditEntries, legacyTokens, loginTickets };
  });
}
