import { type Check, fail, ok, warn } from "../../staff/health/check.ts";
import type { ListenState, PostgresFacts, PostgresStore } from "../../store/postgres/index.ts";
import type { Config } from "../config/config.ts";
import { toProtection } from "../config/postgres-options.ts";

/**
 * The first version of PostgreSQL that has `pg_current_xact_id()`. Without this function, the revocation feed could skip
 * late commits.
 */
const oldest = 130_000;

/**
 * The number of connections outside of the pool: for notifications, for the revocation feed and, while a revocation waits
 * to be confirmed, for acknowledgements.
 */
const connectionsBesidePool = 3;

/**
 * Checks the PostgreSQL server and the connection to it.
 *
 * @param url the connection string.
 */
export async function checkPostgres(store: PostgresStore, url: string, { server }: Config): Promise<readonly Check[]> {
  const facts = await store.inspect();
  const { version, isStandby, isDurable, isAutovacuumOn, maxConnections } = facts;
  const major = Math.floor(version / 10_000);
  const connections = server.workers * (server.databaseConnections + connectionsBesidePool);
  return [
    version < oldest
      ? fail("server", `PostgreSQL ${major} is too old. Upgrade to 13 or later.`)
      : ok("server", `PostgreSQL ${major}.`),
    ...toEngineChecks(facts),
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

/**
 * Matches databases that use PostgreSQL's protocol, but whose transaction ids don't show a reader which commits it hasn't
 * seen.
 */
const otherEngines = /cockroach|yugabyte|-YB-|spanner|dsql|redshift|greenplum|materialize|risingwave/i;

function toEngineChecks({ engine, hasStandbys, hasSynchronousStandby }: PostgresFacts): readonly Check[] {
  if (otherEngines.test(engine)) {
    return [
      fail("engine", `Not PostgreSQL (${engine.slice(0, 40)}). The revocation feed isn't safe on it. Use PostgreSQL.`),
    ];
  }
  if (!hasStandbys || hasSynchronousStandby) return [];
  return [
    warn("standbys", "None is synchronous: a failover can undo a confirmed revocation. Set synchronous_standby_names."),
  ];
}

function toListenChecks(listen: ListenState): readonly Check[] {
  const later = "Until then, other nodes apply a revocation up to a quarter of a second later.";
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
