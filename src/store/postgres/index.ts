import type { Store } from "../../core/store.ts";
import { createAuditLog } from "./audit.ts";
import { deleteDead } from "./cleanup.ts";
import { createConnection } from "./connection.ts";
import { createEndings } from "./endings.ts";
import { createFeed } from "./feed.ts";
import { inspect, type PostgresFacts } from "./inspect.ts";
import { checkSchema, migrate } from "./migrate.ts";
import { createNotifications } from "./notifications.ts";
import { type PostgresStoreOptions, refuseUnknown, toBehaviour, toConnections } from "./options.ts";
import { createOutbox } from "./outbox.ts";
import { createSessionStore } from "./sessions.ts";
import { createThrottleStore } from "./throttle.ts";
import { createUserStore } from "./users.ts";

export type { PostgresListenClient, PostgresPool, PostgresPoolClient, PostgresQuery } from "./driver.ts";
export type { PostgresFacts } from "./inspect.ts";
export type {
  PostgresBehaviour,
  PostgresConnectionOptions,
  PostgresPoolOptions,
  PostgresStoreOptions,
} from "./options.ts";

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
  const endings = createEndings(notifications.announce);

  return {
    users: createUserStore(connection, endings, log),
    sessions: createSessionStore(connection, endings, log, behaviour),
    feed: createFeed(connection, notifications, log),
    audit: log,
    outbox: createOutbox(connection),
    throttle: createThrottleStore(connection, log),
    migrate: () => migrate(connection, schema),
    checkSchema: () => checkSchema(connection, schema),
    deleteDead: (options) => deleteDead(connection, options),

    connections: connection.use,
    inspect: () => inspect(connection),

    async close() {
      await notifications.stop();
      await connection.close();
    },
  };
}
