import type { Store } from "../../core/store/index.ts";
import { createAuditLog } from "./audit.ts";
import { deleteExpired } from "./cleanup.ts";
import { createConnection } from "./connection/connection.ts";
import { type PostgresStoreOptions, refuseUnknown, toBehaviour, toConnections } from "./connection/options.ts";
import { createFeed } from "./feed/feed.ts";
import { createNotifications } from "./feed/notifications.ts";
import { createOutbox } from "./outbox.ts";
import { createRevocations } from "./revocations.ts";
import { inspect, type PostgresFacts } from "./schema/inspect.ts";
import { checkSchema, migrate } from "./schema/migrate.ts";
import { createSessionStore } from "./sessions.ts";
import { createThrottleStore } from "./throttle.ts";
import { createUserStore } from "./users.ts";

export type { PostgresListenClient, PostgresPool, PostgresPoolClient, PostgresQuery } from "./connection/driver.ts";
export type {
  PostgresBehaviour,
  PostgresConnectionOptions,
  PostgresPoolOptions,
  PostgresStoreOptions,
} from "./connection/options.ts";
export type { PostgresFacts } from "./schema/inspect.ts";

/** The store, and what its server says of itself. */
export interface PostgresStore extends Store {
  /** @throws StoreUnavailableError */
  inspect(): Promise<PostgresFacts>;
}

/**
 * The store in PostgreSQL 13 or later, for any number of nodes. Give it a pool of the package `pg`, or a connection string
 * and it makes one. No state stays on a pooled connection, so a proxy that pools transactions may stand in between.
 *
 * A fulfilled promise means that the change is committed. Where the connection breaks before the answer to a change has
 * come, `StoreUnavailableError` says nothing of whether it was made.
 *
 * Call `migrate()` before the first use, and after an upgrade.
 *
 * @throws TypeError where an option is not what it should be, or `pg` is needed and not installed.
 *
 * @example
 * const store = postgresStore("postgres://tokenpair@db.example/app?sslmode=verify-full");
 * await store.migrate();
 */
export function postgresStore(connectionStringOrOptions: string | PostgresStoreOptions): PostgresStore {
  const options =
    typeof connectionStringOrOptions === "string"
      ? { connectionString: connectionStringOrOptions }
      : connectionStringOrOptions;
  refuseUnknown(options);
  const behaviour = toBehaviour(options);
  const connections = toConnections(options, behaviour.connectTimeout);
  const { schema } = behaviour;

  const connection = createConnection(connections, behaviour);
  const notifications = createNotifications(connection, schema, connections.createListenClient);
  const log = createAuditLog(connection);
  const revocations = createRevocations(notifications.announce);

  return {
    users: createUserStore(connection, revocations, log),
    sessions: createSessionStore(connection, revocations, log, behaviour),
    feed: createFeed(connection, notifications, log),
    audit: log,
    outbox: createOutbox(connection),
    throttle: createThrottleStore(connection, log),
    migrate: () => migrate(connection, schema),
    checkSchema: () => checkSchema(connection, schema),
    deleteExpired: (options) => deleteExpired(connection, options),

    connections: connection.use,
    inspect: () => inspect(connection),

    async close() {
      await notifications.stop();
      await connection.close();
    },
  };
}
