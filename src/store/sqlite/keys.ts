import type { KeyRecord, KeyRecords, KeyStore } from "../../core/store/keys.ts";
import { toUpdatedRecord } from "../key-record.ts";
import { recordChange } from "./audit.ts";
import type { SqliteConnection } from "./connection/connection.ts";
import type { SqliteFeedStore } from "./feed.ts";
import { requireAllowed } from "./guard.ts";
import { readInstallation } from "./installation.ts";

const columns = `kid, use, alg AS algorithm, public_jwk AS publicJwk, private_sealed AS sealed, kek_id AS kekId,
  created_at AS createdAt, signs_from AS signsFrom, retire_at AS retireAt, retired_at AS retiredAt`;

const list = `SELECT ${columns} FROM signing_keys ORDER BY signs_from, kid`;

const find = `SELECT ${columns} FROM signing_keys WHERE kid = :kid`;

const raiseVersion = `UPDATE installation SET keys_version = keys_version + 1,
  own_refresh_since = coalesce(own_refresh_since, :ownRefreshSince) WHERE keys_version = :version`;

const insert = `INSERT INTO signing_keys
  (kid, use, alg, public_jwk, private_sealed, kek_id, created_at, signs_from, retire_at, retired_at)
  VALUES (:kid, :use, :algorithm, :publicJwk, :sealed, :kekId, :createdAt, :signsFrom, :retireAt, :retiredAt)`;

const update = `UPDATE signing_keys SET private_sealed = :sealed, kek_id = :kekId, signs_from = :signsFrom,
  retire_at = :retireAt, retired_at = :retiredAt WHERE kid = :kid`;

/** Creates the store of the table `signing_keys`. */
export function createKeyStore(connection: SqliteConnection, feed: SqliteFeedStore): KeyStore {
  function insertKey(key: KeyRecord): void {
    const { kid, use, algorithm, publicJwk, sealed, kekId, createdAt, signsFrom, retireAt, retiredAt } = key;
    const material = { kid, use, algorithm, publicJwk, sealed, kekId };
    connection.prepare(insert).run({ ...material, createdAt, signsFrom, retireAt, retiredAt });
  }

  function findKey(kid: string): KeyRecord | undefined {
    return connection.get<KeyRecord>(find, { kid });
  }

  return {
    async read() {
      return connection.read("keys.read", (now): KeyRecords => {
        const { keysVersion: version, ownRefreshSince, longestAccess } = readInstallation(connection);
        const rows = connection.all<KeyRecord>(list);
        return { version, now, ownRefreshSince, longestAccess, keys: rows.map((row) => ({ ...row })) };
      });
    },

    async change(version, change, audit, guard) {
      return connection.write("keys.change", () => {
        requireAllowed(connection, guard);
        const { add = [], update: updates = [], ownRefreshSince = null } = change;
        // Decides: of the changes that were made from one version, only the first one finds it.
        if (connection.prepare(raiseVersion).run({ version, ownRefreshSince }).changes === 0) return false;
        for (const key of add) insertKey(key);
        for (const each of updates) {
          const { kid, sealed, kekId, signsFrom, retireAt, retiredAt } = toUpdatedRecord(findKey(each.kid), each);
          connection.prepare(update).run({ kid, sealed, kekId, signsFrom, retireAt, retiredAt });
        }
        recordChange(connection, audit, change);
        feed.wakeAfterCommit();
        return true;
      });
    },
  };
}
