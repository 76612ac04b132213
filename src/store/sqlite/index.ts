import { refuseUnknownOptions } from "../../core/settings/unknown-options.ts";
import type { Store } from "../../core/store/index.ts";
import { createAuditLog } from "./audit.ts";
import { deleteExpired } from "./cleanup.ts";
import { createConnection } from "./connection/connection.ts";
import { openDatabase } from "./connection/open.ts";
import { createFeed } from "./feed.ts";
import { createOutbox } from "./outbox.ts";
import { createRevocations } from "./revocations.ts";
import { checkSchema, migrate } from "./schema/migrate.ts";
import { createSessionStore } from "./sessions.ts";
import { createThrottleStore } from "./throttle.ts";
import { createUserStore } from "./users.ts";

export interface SqliteStoreOptions {
  /** The database file, made where it is missing, with its directory; or `:memory:` for one that ends with the store. Required. */
  readonly path: string;
  /**
   * Milliseconds to wait for a lock that another process holds; then the call fails with `StoreUnavailableError`. The
   * process goes on with its other work meanwhile, except here, while a new file is being made. Default: 5000.
   */
  readonly busyTimeout?: number;
  /** The store's time, in whole seconds since the epoch. Default: the machine's clock. */
  readonly now?: () => number;
}

const optionNames = { path: true, busyTimeout: true, now: true } satisfies Record<keyof SqliteStoreOptions, true>;

/**
 * The store in one SQLite file, through `node:sqlite`. Several processes of one machine may share the file (not over a
 * network file system). A fulfilled promise means that the change is on the disk.
 *
 * Call `migrate()` before the first use, and after an upgrade.
 *
 * @throws TypeError where an option is not what it should be.
 * @throws StoreUnavailableError where the file cannot be opened or made.
 *
 * @example
 * const store = sqliteStore("./data/tokenpair.db");
 * await store.migrate();
 */
export function sqliteStore(pathOrOptions: string | SqliteStoreOptions): Store {
  const options = typeof pathOrOptions === "string" ? { path: pathOrOptions } : pathOrOptions;
  refuseUnknownOptions("sqliteStore", options, Object.keys(optionNames));
  const { path, busyTimeout = 5_000, now = readMachineTime } = options;
  if (typeof path !== "string" || path === "") throw new TypeError("sqliteStore: path must be the path of a file");
  if (!Number.isInteger(busyTimeout) || busyTimeout < 0 || busyTimeout > 0x7fffffff) {
    throw new TypeError("sqliteStore: busyTimeout must be a whole number of milliseconds");
  }

  const connection = createConnection(openDatabase(path, busyTimeout), { now, busyTimeout });
  const log = createAuditLog(connection);
  const feed = createFeed(connection, log);
  const revocations = createRevocations(connection, feed);

  return {
    users: createUserStore(connection, revocations, log),
    sessions: createSessionStore(connection, revocations, log),
    feed,
    throttle: createThrottleStore(connection, log),
    audit: log,
    outbox: createOutbox(connection),

    migrate: () => migrate(connection),
    checkSchema: () => checkSchema(connection),
    deleteExpired: (options) => deleteExpired(connection, options),

    async close() {
      connection.close();
    },
  };
}

function readMachineTime(): number {
  return Math.floor(Date.now() / 1000);
}
