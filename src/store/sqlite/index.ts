import { refuseUnknownOptions } from "../../core/settings/unknown-options.ts";
import type { Store } from "../../core/store/index.ts";
import { createAuditStore } from "./audit.ts";
import { deleteExpired } from "./cleanup.ts";
import { createSqliteConnection } from "./connection/connection.ts";
import { createFileWatch, openDatabase } from "./connection/open.ts";
import { createFeedStore } from "./feed.ts";
import { createKeyStore } from "./keys.ts";
import { createLegacyStore } from "./legacy.ts";
import { createSessionInserter } from "./new-session.ts";
import { createNodeStore } from "./nodes.ts";
import { createOutboxStore } from "./outbox.ts";
import { createRevocations } from "./revocations.ts";
import { checkSchema, migrate } from "./schema/migrate.ts";
import { createServiceStore } from "./services.ts";
import { createSessionStore } from "./sessions.ts";
import { createStaffStore } from "./staff.ts";
import { createThrottleStore } from "./throttle.ts";
import { createTicketStore } from "./tickets.ts";
import { createUserStore } from "./users.ts";
import { createWriteProbe } from "./write-probe.ts";

/** The options of `sqliteStore`. */
export interface SqliteStoreOptions {
  /**
   * The path of the database file, or ":memory:" for a database that exists only as long as the store. If the file is
   * missing, it is created with mode 0600. Missing folders are created with mode 0700. Required.
   */
  readonly path: string;
  /**
   * How long a call waits while another process holds the lock, in milliseconds. After that, it fails with a
   * StoreUnavailableError. The event loop isn't blocked, except while the store is being created. Default: 5000.
   */
  readonly busyTimeout?: number;
  /** Returns the store's time in whole seconds since the epoch. Use it only in tests. Default: the machine's clock. */
  readonly now?: () => number;
}

const optionNames = { path: true, busyTimeout: true, now: true } satisfies Record<keyof SqliteStoreOptions, true>;

/**
 * Creates a store in one SQLite file, using `node:sqlite`. Processes on the same machine can share the file. Don't put it
 * on a network file system. A change is on the disk when its promise fulfils.
 *
 * Call `migrate()` before the first use and after every upgrade, and `close()` at the end.
 *
 * @param pathOrOptions the path of the database file, or options.
 * @returns the store, for `createAuth`.
 * @throws TypeError if an option is unknown or invalid.
 * @throws StoreUnavailableError if the file can't be opened or created.
 *
 * @example
 * const store = sqliteStore("./data/tokenpair.db");
 * await store.migrate();
 *
 * @example
 * // For tests: a store in memory, with a clock that the test moves.
 * let now = 1_767_225_600;
 * const store = sqliteStore({ path: ":memory:", now: () => now });
 * await store.migrate();
 * now += 60;
 */
export function sqliteStore(pathOrOptions: string | SqliteStoreOptions): Store {
  const { path, busyTimeout, now } = toCheckedOptions(pathOrOptions);
  const database = openDatabase(path, busyTimeout);
  const connection = createSqliteConnection(database, { now, busyTimeout, ...createFileWatch(path) });
  const feed = createFeedStore(connection);
  const revocations = createRevocations(connection, feed);
  const inserter = createSessionInserter(connection, revocations);

  return {
    users: createUserStore(connection, revocations),
    sessions: createSessionStore(connection, revocations, inserter),
    tickets: createTicketStore(connection, inserter),
    legacy: createLegacyStore(connection, revocations, inserter),
    feed,
    nodes: createNodeStore(connection),
    keys: createKeyStore(connection, feed),
    services: createServiceStore(connection, feed),
    throttle: createThrottleStore(connection),
    audit: createAuditStore(connection),
    staff: createStaffStore(connection),
    outbox: createOutboxStore(connection),
    writes: createWriteProbe(connection),

    migrate: () => migrate(connection),
    checkSchema: () => checkSchema(connection),
    deleteExpired: (options) => deleteExpired(connection, options),

    async close() {
      feed.stop();
      connection.close();
    },
  };
}

function toCheckedOptions(pathOrOptions: string | SqliteStoreOptions): Required<SqliteStoreOptions> {
  const options = typeof pathOrOptions === "string" ? { path: pathOrOptions } : pathOrOptions;
  refuseUnknownOptions("sqliteStore", options, Object.keys(optionNames));
  const { path, busyTimeout = 5_000, now = readMachineTime } = options;
  if (typeof path !== "string" || path === "") {
    throw new TypeError('sqliteStore: path must be the path of a file. Example: path: "./data/tokenpair.db"');
  }
  if (!Number.isInteger(busyTimeout) || busyTimeout < 0 || busyTimeout > 0x7fffffff) {
    throw new TypeError(
      `sqliteStore: busyTimeout must be a whole number of milliseconds, got ${busyTimeout}. Example: busyTimeout: 5000`,
    );
  }
  return { path, busyTimeout, now };
}

function readMachineTime(): number {
  return Math.floor(Date.now() / 1000);
}
