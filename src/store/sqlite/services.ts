import type { AuditOf } from "../../core/store/audit.ts";
import type { ChangedService, FoundService, Service, ServiceStore } from "../../core/store/services.ts";
import { type ServiceRow, toScopeText, toService } from "../service-row.ts";
import { recordChange } from "./audit.ts";
import type { SqliteConnection } from "./connection/connection.ts";
import type { SqliteFeedStore } from "./feed.ts";

const columns = `name, scopes, prefix, created_at AS createdAt,
  CASE WHEN previous_until > :now THEN previous_until END AS previousUntil`;

// A name can be used again when its service is revoked.
const insert = `INSERT INTO services (name, scopes, credential_hash, prefix, created_at)
  VALUES (:name, :scopes, :credentialHash, :prefix, :now)
  ON CONFLICT (name) DO UPDATE SET scopes = excluded.scopes, credential_hash = excluded.credential_hash,
    prefix = excluded.prefix, created_at = excluded.created_at, revoked_at = NULL
  WHERE services.revoked_at IS NOT NULL RETURNING ${columns}, :now AS now`;

const list = `SELECT ${columns} FROM services WHERE revoked_at IS NULL ORDER BY name`;

const find = `SELECT ${columns}, CASE WHEN credential_hash = :credentialHash THEN NULL ELSE previous_until END AS validUntil
  FROM services
  WHERE credential_hash = :credentialHash OR (previous_hash = :credentialHash AND previous_until > :now)`;

const rotate = `UPDATE services SET previous_hash = CASE WHEN :overlap > 0 THEN credential_hash END,
  previous_until = CASE WHEN :overlap > 0 THEN :now + :overlap END, credential_hash = :credentialHash, prefix = :prefix
  WHERE name = :name AND revoked_at IS NULL RETURNING ${columns}, :now AS now`;

// Without its hashes, no look-up can find the service.
const revoke = `UPDATE services SET revoked_at = :now, credential_hash = NULL, previous_hash = NULL, previous_until = NULL
  WHERE name = :name AND revoked_at IS NULL RETURNING ${columns}, :now AS now`;

const raiseVersion = "UPDATE installation SET keys_version = keys_version + 1";

type Parameters = Readonly<Record<string, string | number | Uint8Array>>;

/** Creates the store of the table `services`. */
export function createServiceStore(connection: SqliteConnection, feed: SqliteFeedStore): ServiceStore {
  /** Runs the statement of a change and notifies every node. Returns `null` if nothing was changed. */
  const change = (
    operation: string,
    sql: string,
    parameters: Parameters,
    audit: AuditOf<ChangedService> | undefined,
  ): Promise<ChangedService | null> =>
    connection.write(operation, (now) => {
      const row = connection.get<ServiceRow<ChangedService>>(sql, { ...parameters, now });
      if (row === undefined) return null;
      connection.prepare(raiseVersion).run();
      feed.wakeAfterCommit();
      return recordChange(connection, audit, toService(row));
    });

  return {
    async create({ name, scopes, credentialHash, prefix }, audit) {
      return change("services.create", insert, { name, scopes: toScopeText(scopes), credentialHash, prefix }, audit);
    },

    async list() {
      return connection.read("services.list", (now): readonly Service[] => {
        return connection.all<ServiceRow>(list, { now }).map((row) => toService(row));
      });
    },

    async find(credentialHash) {
      return connection.read("services.find", (now) => {
        const row = connection.get<ServiceRow<FoundService>>(find, { credentialHash, now });
        return row === undefined ? null : toService(row);
      });
    },

    async rotate(name, { credentialHash, prefix, overlap }, audit) {
      return change("services.rotate", rotate, { name, credentialHash, prefix, overlap }, audit);
    },

    async revoke(name, audit) {
      return change("services.revoke", revoke, { name }, audit);
    },
  };
}
