import { clockMargin } from "../../core/revocation-horizon.ts";
import type {
  LegacyCounts,
  LegacyStore,
  RedeemedSession,
  RedeemedToken,
  RedeemOutcome,
  RevokedTokens,
  SpentToken,
} from "../../core/store/legacy.ts";
import { recordChange } from "./audit.ts";
import type { PostgresConnection, Run, Transaction } from "./connection/connection.ts";
import { clock } from "./connection/statement.ts";
import type { LockedUser, SessionInserter } from "./new-session.ts";
import type { Revocations } from "./revocations.ts";

const find = `SELECT session_id AS "sessionId" FROM tokenpair.legacy_tokens WHERE jti = :tokenId`;

// Waits for a transaction that spends the same token, and does nothing if that one is committed.
const spend = `WITH ${clock}
  INSERT INTO tokenpair.legacy_tokens (jti, session_id, spent_at, expires_at)
  SELECT :tokenId, :sessionId, now, :expiresAt::bigint FROM clock
  ON CONFLICT DO NOTHING RETURNING jti`;

// In the order of the tokens, so that two of these transactions don't wait for each other.
const spendAll = `WITH ${clock}, added AS (
    INSERT INTO tokenpair.legacy_tokens (jti, spent_at, expires_at)
    SELECT "tokenId", now, "expiresAt" FROM clock,
      jsonb_to_recordset(:tokens::jsonb) AS token ("tokenId" text, "expiresAt" bigint)
    ORDER BY "tokenId" COLLATE "C"
    ON CONFLICT DO NOTHING RETURNING jti)
  SELECT now, array_to_json(array(SELECT jti FROM added ORDER BY jti))::text AS added FROM clock`;

const findSessions = `SELECT session_id AS "sessionId" FROM tokenpair.legacy_tokens
  WHERE jti = ANY (ARRAY(SELECT jsonb_array_elements_text(:tokenIds::jsonb))) AND session_id IS NOT NULL ORDER BY session_id`;

const isAllRevoked = `SELECT FROM tokenpair.installation WHERE all_revoked_at >= :issuedAt::bigint - ${clockMargin}`;

const count = `SELECT count(session_id) AS redeemed, count(*) - count(session_id) AS revoked FROM tokenpair.legacy_tokens`;

/** Creates the store of the table `legacy_tokens`. */
export function createLegacyStore(
  connection: PostgresConnection,
  revocations: Revocations,
  inserter: SessionInserter,
): LegacyStore {
  /**
   * Returns why a token is refused. Call it while the user's row and the login lock are locked, so that it sees the last
   * revocation of all sessions.
   */
  async function findRefusal(run: Run, { isImported }: LockedUser, { needsImport, issuedAt }: RedeemedToken) {
    if (needsImport && !isImported) return "not_imported";
    return (await run(isAllRevoked, { issuedAt })).length === 0 ? null : "all_revoked";
  }

  async function redeem(
    transaction: Transaction,
    session: RedeemedSession,
    token: RedeemedToken,
  ): Promise<RedeemOutcome> {
    const { run } = transaction;
    const { tokenId, expiresAt } = token;
    const locked = await inserter.lockUser(transaction, session);
    const reason = locked.refusal ?? (await findRefusal(run, locked.user, token));
    if (reason !== null || locked.refusal !== null) {
      const [spent] = await run<SpentToken>(find, { tokenId });
      return spent === undefined
        ? { outcome: "refused", reason: reason ?? "user_gone" }
        : { outcome: "spent", sessionId: spent.sessionId };
    }
    if ((await run(spend, { tokenId, sessionId: session.id, expiresAt })).length === 0) {
      const [spent] = await run<SpentToken>(find, { tokenId });
      return { outcome: "spent", sessionId: spent?.sessionId ?? null };
    }
    return inserter.insert(transaction, session, locked.user);
  }

  /** Revokes the sessions for which tokens were redeemed. */
  async function revokeSessions(
    transaction: Transaction,
    tokenIds: readonly string[],
    { reason, confirm }: { readonly reason: "logout" | "revoked"; readonly confirm: boolean | undefined },
  ) {
    const rows = await transaction.run<{ sessionId: string }>(findSessions, { tokenIds: JSON.stringify(tokenIds) });
    const revoked = [];
    for (const { sessionId } of rows) {
      const change = await revocations.revokeOne(transaction, sessionId, { reason, confirm });
      if (change.sessions > 0) revoked.push({ sessionId, ...change });
    }
    return revoked;
  }

  return {
    redeem: (session, token, audit) =>
      connection.transact("legacy.redeem", async (transaction) => {
        const outcome = await redeem(transaction, session, token);
        return outcome.outcome === "created" ? recordChange(transaction.run, audit, outcome) : outcome;
      }),

    async find(tokenId) {
      const [spent] = await connection.run<SpentToken>("legacy.find", find, { tokenId });
      return spent ?? null;
    },

    revoke: (tokens, reason, { audit, confirm } = {}) =>
      connection.transact("legacy.revoke", async (transaction) => {
        const { run } = transaction;
        const [row] = await run<{ now: number; added: string }>(spendAll, { tokens: JSON.stringify(tokens) });
        const { now, added } = row as NonNullable<typeof row>;
        const ids = tokens.map(({ tokenId }) => tokenId);
        const revoked = await revokeSessions(transaction, ids, { reason, confirm });
        const position = revoked.at(-1)?.position;
        const change: RevokedTokens = {
          tokenIds: JSON.parse(added) as string[],
          sessionIds: revoked.map(({ sessionId }) => sessionId),
          sessions: revoked.length,
          revocations: revoked.flatMap((each) => each.revocations),
          ...(position === undefined ? {} : { position }),
          now,
        };
        const isChanged = change.tokenIds.length > 0 || change.sessions > 0;
        return isChanged ? recordChange(run, audit, change) : change;
      }),

    async count() {
      const [row] = await connection.run<LegacyCounts>("legacy.count", count);
      return row as LegacyCounts;
    },
  };
}
