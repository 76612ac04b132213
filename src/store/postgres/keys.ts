import type { KeyRecord, KeyRecords, KeyStore } from "../../core/store/keys.ts";
import { toUpdatedRecord } from "../key-record.ts";
import { recordChange } from "./audit.ts";
import type { PostgresConnection, Run } from "./connection/connection.ts";
import { clock, commitDurably } from "./connection/statement.ts";
import { isAStandby } from "./feed/feed.ts";
import type { Notifications } from "./feed/notifications.ts";
import { requireAllowed } from "./guard.ts";

const columns = `kid, use, alg AS algorithm, public_jwk AS "publicJwk", private_sealed AS sealed, kek_id AS "kekId",
  created_at AS "createdAt", signs_from AS "signsFrom", retire_at AS "retireAt", retired_at AS "retiredAt"`;

// One statement, so that the keys belong to the version.
const read = `WITH ${clock}
  SELECT now, keys_version AS version, own_refresh_since AS "ownRefreshSince", longest_access AS "longestAccess",
    pg_is_in_recovery() AS "isStandby", key.*
  FROM clock CROSS JOIN tokenpair.installation LEFT JOIN (
    SELECT ${columns} FROM tokenpair.signing_keys) AS key ON true
  ORDER BY "signsFrom", kid`;

const find = `SELECT ${columns} FROM tokenpair.signing_keys WHERE kid = :kid`;

// Locks the row until the transaction ends, so that changes come one after another.
const raiseVersion = `UPDATE tokenpair.installation SET keys_version = keys_version + 1,
  own_refresh_since = coalesce(own_refresh_since, :ownRefreshSince::bigint)
  WHERE keys_version = :version::bigint RETURNING keys_version`;

const insert = `INSERT INTO tokenpair.signing_keys
  (kid, use, alg, public_jwk, private_sealed, kek_id, created_at, signs_from, retire_at, retired_at)
  VALUES (:kid, :use, :algorithm, :publicJwk, :sealed, :kekId, :createdAt, :signsFrom, :retireAt, :retiredAt)`;

const update = `UPDATE tokenpair.signing_keys SET private_sealed = :sealed, kek_id = :kekId, signs_from = :signsFrom,
  retire_at = :retireAt, retired_at = :retiredAt WHERE kid = :kid`;

/** A row that `read` returns. If there are no keys, there is one row whose `kid` is `null`. */
type Row = Omit<KeyRecords, "keys"> & { readonly isStandby: boolean } & (KeyRecord | { readonly kid: null });

/** Creates the store of the table `signing_keys`. */
export function createKeyStore(connection: PostgresConnection, notifications: Notifications): KeyStore {
  return {
    async read() {
      const rows = (await connection.run<Row>("keys.read", read)) as readonly [Row, ...Row[]];
      const [{ version, now, ownRefreshSince, longestAccess, isStandby }] = rows;
      // A standby may still have a key that was retired.
      if (isStandby) throw isAStandby("keys.read");
      return { version, now, ownRefreshSince, longestAccess, keys: rows.flatMap(toRecords) };
    },

    change: (version, change, audit, guard) =>
      connection.transact("keys.change", async ({ run, afterCommit }) => {
        await requireAllowed(run, guard);
        const { add = [], update: updates = [], ownRefreshSince = null } = change;
        // Tokens that are signed by a key whose record is lost could not be verified any more.
        await run(commitDurably);
        // Decides: of the changes that were made from one version, only the first one finds it.
        if ((await run(raiseVersion, { version, ownRefreshSince })).length === 0) return false;
        for (const key of add) await run(insert, toRecord(key));
        for (const each of updates) {
          const { kid, sealed, kekId, signsFrom, retireAt, retiredAt } = toUpdatedRecord(
            await findKey(run, each.kid),
            each,
          );
          await run(update, { kid, sealed, kekId, signsFrom, retireAt, retiredAt });
        }
        await recordChange(run, audit, change);
        afterCommit(() => notifications.notify(false));
        return true;
      }),
  };
}

async function findKey(run: Run, kid: string): Promise<KeyRecord | undefined> {
  const [key] = await run<KeyRecord>(find, { kid });
  return key;
}

function toRecords(row: Row): readonly KeyRecord[] {
  return row.kid === null ? [] : [toRecord(row)];
}

/** Returns only the members of the record. */
function toRecord(key: KeyRecord) {
  const { kid, use, algorithm, publicJwk, sealed, kekId, createdAt, signsFrom, retireAt, retiredAt } = key;
  return { kid, use, algorithm, publicJwk, sealed, kekId, createdAt, signsFrom, retireAt, retiredAt };
}
