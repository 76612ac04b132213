import type { Store } from "../../core/store/index.ts";
import { createAuditStore } from "./audit.ts";
import { deleteExpired } from "./cleanup.ts";
import { createPostgresConnection } from "./connection/connection.ts";
import { openPool, type PostgresStoreOptions, refuseUnknown, toBehaviour } from "./connection/options.ts";
import { createFeedStore } from "./feed/feed.ts";
import { createNotifications } from "./feed/notifications.ts";
import { type ListenState, probeListen } from "./feed/probe-listen.ts";
import { createFeedReader } from "./feed/reader.ts";
import { createKeyStore } from "./keys.ts";
import { createLegacyStore } from "./legacy.ts";
import { createSessionInserter } from "./new-session.ts";
import { createNodeStore } from "./nodes.ts";
import { createOutboxStore } from "./outbox.ts";
import { createRevocations } from "./revocations.ts";
import { inspect, type PostgresFacts } from "./schema/inspect.ts";
import { checkSchema, migrate } from "./schema/migrate.ts";
import { createServiceStore } from "./services.ts";
import { createSessionStore } from "./sessions.ts";
import { createStaffStore } from "./staff.ts";
import { createThrottleStore } from "./throttle.ts";
import { createTicketStore } from "./tickets.ts";
import { createUserStore } from "./users.ts";
import { createWriteProbe } from "./write-probe.ts";

export type {
  PostgresClient,
  PostgresListenClient,
  PostgresPool,
  PostgresPoolClient,
  PostgresQuery,
  PostgresTypes,
} from "./connection/driver.ts";
export type {
  PostgresBehaviour,
  PostgresConnectionOptions,
  PostgresPoolOptions,
  PostgresStoreOptions,
} from "./connection/options.ts";
export type { ListenState } from "./feed/probe-listen.ts";
export type { PostgresFacts } from "./schema/inspect.ts";

/** A store in PostgreSQL. */
export interface PostgresStore extends Store {
  /**
   * Returns facts about the server that determine whether its answers are reliable.
   *
   * @throws StoreUnavailableError if the server can't answer.
   */
  inspect(): Promise<PostgresFacts>;
  /**
   * Sends a notification to the store's own LISTEN connection, and waits up to 5 seconds for it. The notification is lost
   * if the connection goes through a proxy that pools transactions. In that case, the store learns about revocations only
   * by reading the feed every quarter of a second. Never rejects.
   */
  probeListen(): Promise<ListenState>;
}

/**
 * Creates a store in PostgreSQL 13 or later, for any number of nodes. It takes either a connection string, which requires
 * the package `pg`, or a pool that your application created. The store leaves no state on pooled connections, so you can
 * use a proxy that pools transactions.
 *
 * A change is committed when its promise fulfils. If the connection breaks before the answer to a change arrives, the
 * call rejects with a StoreUnavailableError, and the change may or may not have been made.
 *
 * Call `migrate()` before the first use and after every upgrade, and `close()` at the end.
 *
 * @param connectionStringOrOptions a `postgres://` URL, or options.
 * @returns the store, for `createAuth`.
 * @throws TypeError if an option is unknown or invalid, or if `pg` is needed and not installed.
 *
 * @example
 * const store = postgresStore("postgres://tokenpair@db.example/app?sslmode=verify-full");
 * await store.migrate();
 *
 * @example
 * // With your application's pool, and a separate connection for notifications.
 * import pg from "pg";
 *
 * const connectionString = "postgres://tokenpair@db.example/app?sslmode=verify-full";
 * const store = postgresStore({
 *   pool: new pg.Pool({ connectionString }),
 *   createListenClient: () => new pg.Client(connectionString),
 * });
 * await store.migrate();
 */
export function postgresStore(connectionStringOrOptions: string | PostgresStoreOptions): PostgresStore {
  const options =
    typeof connectionStringOrOptions === "string"
      ? { connectionString: connectionStringOrOptions }
      : connectionStringOrOptions;
  refuseUnknown(options);
  const behaviour = toBehaviour(options);
  const { schema } = behaviour;

  const pool = openPool(options, behaviour.connectTimeout);
  const connection = createPostgresConnection(pool, behaviour);
  const notifications = createNotifications(connection, schema, pool.createListenClient);
  const reader = createFeedReader(connection, behaviour, pool.createListenClient);
  const revocations = createRevocations(notifications.notify);
  const inserter = createSessionInserter(revocations);

  return {
    users: createUserStore(connection, revocations),
    sessions: createSessionStore(connection, revocations, inserter, behaviour),
    tickets: createTicketStore(connection, inserter),
    legacy: createLegacyStore(connection, revocations, inserter),
    feed: createFeedStore(connection, reader, notifications),
    nodes: createNodeStore(connection, notifications),
    keys: createKeyStore(connection, notifications),
    services: createServiceStore(connection, notifications),
    throttle: createThrottleStore(connection),
    audit: createAuditStore(connection),
    staff: createStaffStore(connection),
    outbox: createOutboxStore(connection),
    writes: createWriteProbe(connection),

    migrate: () => migrate(connection, schema),
    checkSchema: () => checkSchema(connection, schema),
    deleteExpired: (options) => deleteExpired(connection, options),

    connections: connection.usage,
    inspect: () => inspect(connection),
    probeListen: () => probeListen(connection, pool.createListenClient),

    async close() {
      reader.stop();
      await notifications.stop();
      await connection.close();
    },
  };
}
