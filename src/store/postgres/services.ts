import type { AuditOf } from "../../core/store/audit.ts";
import type { ChangedService, FoundService, ServiceStore } from "../../core/store/services.ts";
import { type ServiceRow, toScopeText, toService } from "../service-row.ts";
import { recordChange } from "./audit.ts";
import type { PostgresConnection } from "./connection/connection.ts";
import { clock, commitDurably, type Parameters } from "./connection/statement.ts";
import { isAStandby } from "./feed/feed.ts";
import type { Notifications } from "./feed/notifications.ts";

/** Returns the columns of a service at the time `now`. */
const columns = (now: string) => `name, scopes, prefix, created_at AS "createdAt",
  CASE WHEN previous_until > ${now} THEN previous_until END AS "previousUntil"`;

// A name can be used again when its service is revoked.
const insert = `WITH ${clock}
  INSERT INTO tokenpair.services (name, scopes, credential_hash, prefix, created_at)
  SELECT :name, :scopes, :credentialHash::bytea, :prefix, now FROM clock
  ON CONFLICT (name) DO UPDATE SET scopes = excluded.scopes, credential_hash = excluded.credential_hash,
    prefix = excluded.prefix, created_at = excluded.created_at, revoked_at = NULL
  WHERE services.revoked_at IS NOT NULL RETURNING ${columns("created_at")}, created_at AS now`;

const list = `WITH ${clock}
  SELECT ${columns("now")} FROM clock, tokenpair.services WHERE revoked_at IS NULL ORDER BY name`;

const find = `WITH ${clock}
  SELECT pg_is_in_recovery() AS "isStandby", service.* FROM clock LEFT JOIN LATERAL (
    SELECT ${columns("now")},
      CASE WHEN credential_hash = :credentialHash::bytea THEN NULL ELSE previous_until END AS "validUntil"
    FROM tokenpair.services WHERE credential_hash = :credentialHash::bytea
      OR (previous_hash = :credentialHash::bytea AND previous_until > now)) AS service ON true`;

const rotate = `WITH ${clock}
  UPDATE tokenpair.services SET previous_hash = CASE WHEN :overlap::bigint > 0 THEN credential_hash END,
    previous_until = CASE WHEN :overlap::bigint > 0 THEN now + :overlap::bigint END,
    credential_hash = :credentialHash, prefix = :prefix
  FROM clock WHERE name = :name AND revoked_at IS NULL RETURNING ${columns("now")}, now`;

// Without its hashes, no look-up can find the service.
const revoke = `WITH ${clock}
  UPDATE tokenpair.services SET revoked_at = now, credential_hash = NULL, previous_hash = NULL, previous_until = NULL
  FROM clock WHERE name = :name AND revoked_at IS NULL RETURNING ${columns("now")}, now`;

const raiseVersion = "UPDATE tokenpair.installation SET keys_version = keys_version + 1";

/** A row that `find` returns. If there is no such credential, its `name` is `null`. */
type FoundRow = { readonly isStandby: boolean } & (ServiceRow<FoundService> | { readonly name: null });

/** Creates the store of the table `services`. */
export function createServiceStore(connection: PostgresConnection, notifications: Notifications): ServiceStore {
  /** Runs the statement of a change and notifies every node. Returns `null` if nothing was changed. */
  const change = (
    operation: string,
    sql: string,
    parameters: Parameters,
    audit: AuditOf<ChangedService> | undefined,
  ): Promise<ChangedService | null> =>
    connection.transact(operation, async ({ run, afterCommit }) => {
      await run(commitDurably);
      const [row] = await run<ServiceRow<ChangedService>>(sql, parameters);
      if (row === undefined) return null;
      await run(raiseVersion);
      afterCommit(() => notifications.notify(false));
      return recordChange(run, audit, toService<ChangedService>(row));
    });

  return {
    create: ({ name, scopes, credentialHash, prefix }, audit) =>
      change("services.create", insert, { name, scopes: toScopeText(scopes), credentialHash, prefix }, audit),

    async list() {
      return (await connection.run<ServiceRow>("services.list", list)).map((row) => toService(row));
    },

    async find(credentialHash) {
      const [row] = await connection.run<FoundRow>("services.find", find, { credentialHash });
      // A standby may still have a service that was revoked.
      if (row?.isStandby !== false) throw isAStandby("services.find");
      if (row.name === null) return null;
      const { isStandby: _, ...service } = row;
      return toService<FoundService>(service);
    },

    rotate: (name, { credentialHash, prefix, overlap }, audit) =>
      change("services.rotate", rotate, { name, credentialHash, prefix, overlap }, audit),

    revoke: (name, audit) => change("services.revoke", revoke, { name }, audit),
  };
}
