import { clockMargin } from "../../core/revocation-horizon.ts";
import type {
  LegacyStore,
  RedeemedSession,
  RedeemedToken,
  RedeemOutcome,
  RevokedTokens,
} from "../../core/store/legacy.ts";
import { recordChange } from "./audit.ts";
import type { SqliteConnection } from "./connection/connection.ts";
import type { SessionInserter } from "./new-session.ts";
import type { Revocations } from "./revocations.ts";

const find = "SELECT session_id AS sessionId FROM legacy_tokens WHERE jti = :tokenId";

const spend = `INSERT INTO legacy_tokens (jti, session_id, spent_at, expires_at)
  VALUES (:tokenId, :sessionId, :now, :expiresAt) ON CONFLICT DO NOTHING`;

const isAllRevoked = `SELECT 1 FROM installation WHERE all_revoked_at >= :issuedAt - ${clockMargin}`;

const isImported = "SELECT 1 FROM users WHERE id = :userId AND imported = 1";

const count = `SELECT count(session_id) AS redeemed, count(*) - count(session_id) AS revoked FROM legacy_tokens`;

/** Creates the store of the table `legacy_tokens`. Because of the write lock, tokens are spent one after another. */
export function createLegacyStore(
  connection: SqliteConnection,
  revocations: Revocations,
  inserter: SessionInserter,
): LegacyStore {
  /** Returns the row of a token, or `undefined` if it isn't spent. */
  function findSpent(tokenId: string): { readonly sessionId: string | null } | undefined {
    const row = connection.prepare(find).get({ tokenId });
    return row === undefined ? undefined : { sessionId: row["sessionId"] as string | null };
  }

  function findRefusal(session: RedeemedSession, { issuedAt, needsImport }: RedeemedToken) {
    const { userId } = session;
    const reason = inserter.findRefusal(session);
    if (reason !== null) return reason;
    if (needsImport && connection.prepare(isImported).get({ userId }) === undefined) return "not_imported";
    return connection.prepare(isAllRevoked).get({ issuedAt }) === undefined ? null : "all_revoked";
  }

  return {
    async redeem(session, token, audit) {
      return connection.write("legacy.redeem", (now): RedeemOutcome => {
        const { tokenId, expiresAt } = token;
        const spent = findSpent(tokenId);
        if (spent !== undefined) return { outcome: "spent", ...spent };
        const reason = findRefusal(session, token);
        if (reason !== null) return { outcome: "refused", reason };
        connection.prepare(spend).run({ tokenId, sessionId: session.id, expiresAt, now });
        return recordChange(connection, audit, inserter.insert(session, now));
      });
    },

    async find(tokenId) {
      return connection.read("legacy.find", () => findSpent(tokenId) ?? null);
    },

    async revoke(tokens, reason, { audit, confirm } = {}) {
      return connection.write("legacy.revoke", (now): RevokedTokens => {
        const added = tokens.filter(
          ({ tokenId, expiresAt }) =>
            connection.prepare(spend).run({ tokenId, sessionId: null, expiresAt, now }).changes === 1,
        );
        const revoked = tokens.flatMap(({ tokenId }) => {
          const sessionId = findSpent(tokenId)?.sessionId ?? null;
          if (sessionId === null) return [];
          const change = revocations.revokeOne(sessionId, { reason, now, confirm });
          return change.sessions === 0 ? [] : [{ sessionId, ...change }];
        });
        const position = revoked.at(-1)?.position;
        const change: RevokedTokens = {
          tokenIds: added.map(({ tokenId }) => tokenId),
          sessionIds: revoked.map(({ sessionId }) => sessionId),
          sessions: revoked.length,
          revocations: revoked.flatMap((each) => each.revocations),
          ...(position === undefined ? {} : { position }),
          now,
        };
        const isChanged = added.length > 0 || revoked.length > 0;
        return isChanged ? recordChange(connection, audit, change) : change;
      });
    },

    async count() {
      return connection.read("legacy.count", () => {
        const row = connection.prepare(count).get();
        return { redeemed: Number(row?.["redeemed"]), revoked: Number(row?.["revoked"]) };
      });
    },
  };
}
