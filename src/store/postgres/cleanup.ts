import type { DeletedCounts, DeleteExpiredOptions } from "../../core/store/index.ts";
import { longestUnknownAccess } from "../revocation-row.ts";
import type { PostgresConnection } from "./connection/connection.ts";
import { clock } from "./connection/statement.ts";

/** Returns the beginning of a statement that finds at most `:limit` rows that meet `condition`. It skips locked rows. */
const withFound = (table: string, key: string, condition: string) => `WITH ${clock}, found AS MATERIALIZED (
  SELECT ${key} AS found_key FROM tokenpair.${table}, clock WHERE ${condition}
  LIMIT :limit FOR UPDATE OF ${table} SKIP LOCKED)`;

const deleteSessions = `${withFound("sessions", "id", "cleanup_at <= now AND idle_expires_at <= now")}
  DELETE FROM tokenpair.sessions USING found WHERE id = found_key RETURNING id`;

const deleteRevoked = `${withFound(
  "sessions",
  "id",
  `revoked_at < now - :horizon::bigint
    AND coalesce(access_until, revoked_at + ${longestUnknownAccess}) < now - :horizon::bigint`,
)}
  DELETE FROM tokenpair.sessions USING found WHERE id = found_key RETURNING id`;

// The session was used after its cleanup time was set, so it gets a new one.
const postpone = `${withFound("sessions", "id", "cleanup_at <= now AND idle_expires_at > now")}
  UPDATE tokenpair.sessions SET cleanup_at = idle_expires_at FROM found WHERE id = found_key RETURNING id`;

const deleteRevocations = `${withFound(
  "revocations",
  "seq",
  `coalesce(until, at + ${longestUnknownAccess}) < now - :horizon::bigint`,
)}
  DELETE FROM tokenpair.revocations USING found WHERE seq = found_key RETURNING seq`;

const deleteFailureCounts = `${withFound("login_failures", "key", "expires_at <= now")}
  DELETE FROM tokenpair.login_failures USING found WHERE key = found_key RETURNING key`;

// Its token is refused from then on because it has expired, also by a node whose clock is behind.
const deleteLegacyTokens = `${withFound("legacy_tokens", "jti", "expires_at < now - :horizon::bigint")}
  DELETE FROM tokenpair.legacy_tokens USING found WHERE jti = found_key RETURNING jti`;

const deleteLoginTickets = `${withFound("login_tickets", "hash", "expires_at <= now")}
  DELETE FROM tokenpair.login_tickets USING found WHERE hash = found_key RETURNING user_id`;

const deleteAuditEntries = `${withFound("audit_log", "seq", "at < now - :auditHorizon::bigint")}
  DELETE FROM tokenpair.audit_log USING found WHERE seq = found_key RETURNING seq`;

/**
 * Deletes at most `limit` rows of each kind: expired sessions, revoked sessions, revocations, tokens of another system,
 * expired counts of failed logins, and audit entries. Revoked sessions, revocations and tokens are deleted `horizon`
 * seconds after the last token has expired, and audit entries after `auditHorizon` seconds. Each kind has its own
 * transaction, so that locks are held only briefly. Several processes can do this at the same time.
 */
export async function deleteExpired(
  connection: PostgresConnection,
  { limit, horizon, auditHorizon }: DeleteExpiredOptions,
): Promise<DeletedCounts> {
  const count = async (sql: string, parameters: Record<string, number>) =>
    (await connection.run("deleteExpired", sql, parameters)).length;

  // All of them: otherwise the search for expired sessions would have to skip more and more of these.
  while (limit > 0 && (await count(postpone, { limit })) === limit);
  const expired = await count(deleteSessions, { limit });
  const revoked = await count(deleteRevoked, { horizon, limit: limit - expired });
  const revocations = await count(deleteRevocations, { horizon, limit });
  const auditEntries = auditHorizon === undefined ? 0 : await count(deleteAuditEntries, { auditHorizon, limit });
  const failures = await count(deleteFailureCounts, { limit });
  const legacyTokens = await count(deleteLegacyTokens, { horizon, limit });
  const loginTickets = await count(deleteLoginTickets, { limit });
  return { sessions: expired + revoked, revocations, failures, auditEntries, legacyTokens, loginTickets };
}
