import type { Config } from "../../server/config/config.ts";
import { toProtection } from "../../server/config/postgres-options.ts";
import type { ListenState, PostgresStore } from "../../store/postgres/index.ts";
import { type Check, fail, ok, warn } from "./check.ts";

/** The first version that has `pg_current_xact_id()`, without which the revocation feed could skip late commits. */
const oldest = 130_000;

/** Checks the PostgreSQL server and the connection to it. @param url the connection string. */
export async function checkPostgres(store: PostgresStore, url: string, { server }: Config): Promise<readonly Check[]> {
  const { version, isStandby, isDurable, isAutovacuumOn, maxConnections } = await store.inspect();
  const major = Math.floor(version / 10_000);
  const connections = server.databaseConnections + 1;
  return [
    version < oldest
      ? fail("server", `PostgreSQL ${major} is too old. Upgrade to 13 or later.`)
      : ok("server", `PostgreSQL ${major}.`),
    toTlsCheck(url, server),
    ...(isStandby ? [fail("primary", "This server is a read-only standby. Connect to the primary.")] : []),
    isDurable
      ? ok("durability", "Every commit is on disk before it is acknowledged.")
      : fail("durability", "A crash can lose an acknowledged logout. Turn on synchronous_commit and fsync."),
    ...(isAutovacuumOn ? [] : [warn("autovacuum", "Off: tables and indexes grow without limit. Turn it on.")]),
    connections > maxConnections
      ? warn(
          "connections",
          `A node uses ${connections}, but the server allows ${maxConnections}. Lower databaseConnections.`,
        )
      : ok("connections", `A node uses ${connections} of the server's ${maxConnections}.`),
    ...toListenChecks(await store.probeListen()),
  ];
}

function toListenChecks(listen: ListenState): readonly Check[] {
  const later = "Until then, other nodes apply a revocation up to half a second later.";
  switch (listen.state) {
    case "delivered":
      return [ok("listen", "Notifications arrive.")];
    case "lost":
      return [
        warn(
          "listen",
          "No notification arrived. A proxy that pools transactions, such as PgBouncer, loses them. " +
            `Set databaseListenUrl to the server itself. ${later}`,
        ),
      ];
    case "failed":
      return [warn("listen", `Can't listen (${listen.reason ?? "no reason"}). Check databaseListenUrl. ${later}`)];
    case "off":
      return [];
  }
}

function toTlsCheck(url: string, server: Config["server"]): Check {
  switch (toProtection(url, server)) {
    case "local":
      return ok("tls", "Not needed: the database is on this machine.");
    case "verified":
      return ok("tls", "TLS certificate verified (verify-full).");
    case "unverified":
      return warn("tls", "TLS certificate not verified. Add sslmode=verify-full to databaseUrl, or set databaseCa.");
  }
}
