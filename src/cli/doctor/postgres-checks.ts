import type { Config } from "../../server/config/config.ts";
import { isPrivate } from "../../server/config/postgres-options.ts";
import type { PostgresStore } from "../../store/postgres/index.ts";
import { type Check, fail, ok, warn } from "./check.ts";

/** The first version with `pg_current_xact_id()`, by which the feed does not skip late commits. */
const oldest = 130_000;

/** Whether the server can be relied on, and the way to it. */
export async function checkPostgres(store: PostgresStore, url: string, { server }: Config): Promise<readonly Check[]> {
  const { version, isStandby, isDurable, isAutovacuumOn, maxConnections } = await store.inspect();
  const major = Math.floor(version / 10_000);
  return [
    version < oldest
      ? fail("server", `PostgreSQL ${major} is too old; upgrade to 13 or later`)
      : ok("server", `PostgreSQL ${major}`),
    isPrivate(url, server)
      ? ok("tls", "nobody on the way to the database can stand in for it")
      : warn("tls", "the database's certificate is not checked by name; add sslmode=verify-full or set databaseCa"),
    ...(isStandby ? [fail("primary", "this server is a standby, to which nothing can be written")] : []),
    isDurable
      ? ok("durability", "a commit is on the disk when it is answered")
      : fail("durability", "synchronous_commit or fsync is off: a logout that was answered can be lost; turn them on"),
    ...(isAutovacuumOn ? [] : [warn("autovacuum", "is off: tables and indexes grow for ever; turn it on")]),
    server.databaseConnections + 1 > maxConnections
      ? warn("connections", `${server.databaseConnections} and one to listen are more than the server has for all`)
      : ok("connections", `${server.databaseConnections} and one to listen for each node, of ${maxConnections}`),
  ];
}
