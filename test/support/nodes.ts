import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Settings } from "../../src/core/settings/settings.ts";
import type { Store } from "../../src/core/store/index.ts";
import { type Auth, createAuth } from "../../src/index.ts";
import { postgresStore } from "../../src/store/postgres/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { findFreePort } from "./free-port.ts";
import { longTimeouts } from "./long-timeouts.ts";
import { type PostgresServer, startPostgres } from "./postgres.ts";
import { readOutput } from "./run-command.ts";
import { type ServerProcess, startServer } from "./server-process.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

/** Server processes over one database, which the test itself has opened as one more node. */
export interface Nodes {
  readonly servers: readonly ServerProcess[];
  /** The servers' working directory. Over SQLite, the database is in it: tokenpair.db. */
  readonly directory: string;
  /** The test's own node. */
  readonly auth: Auth;
  /** The store of the test's own node. */
  readonly store: Store;
  /** The signing key of every node. */
  readonly signingKey: string;
  /** `null` over SQLite. */
  readonly postgres: PostgresServer | null;
  /** The connection between the servers and PostgreSQL; `null` over SQLite. */
  readonly databaseWire: TcpProxy | null;
  /** Starts another server, or a killed one again on its port. `env` has more environment variables. */
  start(port?: number, env?: Readonly<Record<string, string>>): Promise<ServerProcess>;
  /** Runs a command of the command line with the servers' settings, and returns what it printed. @throws if it fails. */
  run(...args: readonly string[]): Promise<string>;
  /** Does the same with more environment variables. */
  runWith(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<string>;
  /** Creates a user with this password, and returns the id. */
  addUser(username: string, password: string): Promise<string>;
  close(): Promise<void>;
}

export interface NodesOptions {
  readonly database: "SQLite" | "PostgreSQL";
  /** How many server processes. */
  readonly servers: number;
  /** More environment variables of the servers. */
  readonly env?: Readonly<Record<string, string>>;
  /** More arguments of the servers. */
  readonly args?: readonly string[];
  /** Settings of PostgreSQL. */
  readonly postgresSettings?: Readonly<Record<string, string>>;
  /** Called with the empty PostgreSQL, before any node is started. */
  readonly prepare?: (postgres: PostgresServer) => Promise<void>;
  /** Whether the test's own node reaches PostgreSQL through `databaseWire`, as the servers do. Default: false, directly. */
  readonly sharesWire?: boolean;
  /** Settings of the test's own node. */
  readonly own?: Partial<Settings>;
  /** All nodes sign with a key of the key ring, sealed under this key encryption key. Default: with an HMAC signing key. */
  readonly keyEncryptionKey?: string;
}

/** All requests of a race come from one address, and many logins fail. */
const unlimited = {
  TOKENPAIR_REFRESH_LIMIT: "0",
  TOKENPAIR_VERIFY_LIMIT: "0",
  TOKENPAIR_BLACKLIST_LIMIT: "0",
  TOKENPAIR_LOGIN_FAILURES_BEFORE_DELAY: "0",
  TOKENPAIR_ACCOUNT_FAILURES_BEFORE_DELAY: "0",
  TOKENPAIR_ADDRESS_FAILURES_BEFORE_DELAY: "0",
  TOKENPAIR_MAX_LOGIN_FAILURES: "0",
};

/** Logins take milliseconds, because there are many. */
const cheapHashes = { passwordMemoryCost: 64, passwordTimeCost: 1 };

/** Starts servers over a new database, and opens it as one more node. */
export async function openNodes(options: NodesOptions): Promise<Nodes> {
  const {
    database,
    servers,
    env = {},
    args = [],
    postgresSettings = {},
    prepare,
    sharesWire = false,
    own = {},
    keyEncryptionKey,
  } = options;
  const cwd = mkdtempSync(join(tmpdir(), "tokenpair-"));
  const file = join(cwd, "tokenpair.db");
  const postgres = database === "PostgreSQL" ? await startPostgres(postgresSettings) : null;
  if (postgres !== null) await prepare?.(postgres);
  const databaseWire = postgres && (await startTcpProxy(postgres.port));
  const wiredUrl = postgres && (databaseWire?.toUrl(postgres.url) ?? null);
  const ownUrl = sharesWire ? wiredUrl : (postgres?.url ?? null);
  const store =
    ownUrl === null
      ? sqliteStore({ path: file, busyTimeout: 60_000 })
      : postgresStore({ connectionString: ownUrl, ...longTimeouts });
  await store.migrate();
  const signingKey = randomBytes(48).toString("hex");
  const keys = keyEncryptionKey === undefined ? { signingKey } : { keyEncryptionKey };
  const auth = createAuth({ store, ...keys, ...cheapHashes, ...own });
  await auth.ready();

  const settings = {
    TOKENPAIR_DATABASE_URL: wiredUrl ?? `sqlite:${file}`,
    ...(keyEncryptionKey === undefined
      ? { TOKENPAIR_SIGNING_KEY: signingKey }
      : { TOKENPAIR_KEY_ENCRYPTION_KEY: keyEncryptionKey }),
    TOKENPAIR_PASSWORD_MEMORY_COST: String(cheapHashes.passwordMemoryCost),
    TOKENPAIR_PASSWORD_TIME_COST: String(cheapHashes.passwordTimeCost),
    // The page needs a build.
    TOKENPAIR_PAGE: "false",
    // On a busy machine, a server may not read the feed for many seconds.
    TOKENPAIR_MAX_STALENESS: "60",
    ...unlimited,
    ...env,
  };
  const running: ServerProcess[] = [];
  const start = async (given = 0, more: Readonly<Record<string, string>> = {}) => {
    // A port that nothing takes while a killed server is started on it again.
    const port = given === 0 ? await findFreePort() : given;
    const server = await startServer({ cwd, port, env: { ...settings, ...more }, args });
    running.push(server);
    return server;
  };
  const runWith = (more: Readonly<Record<string, string>>, ...command: readonly string[]) =>
    readOutput(command, { directory: cwd, env: { ...settings, ...more } });
  const first = await Promise.all(Array.from({ length: servers }, () => start()));
  return {
    servers: first,
    directory: cwd,
    auth,
    store,
    signingKey,
    postgres,
    databaseWire,
    start,
    run: (...command) => runWith({}, ...command),
    runWith,
    addUser: async (username, password) => (await auth.users.create({ username, password })).id,
    close: async () => {
      await auth.close();
      await store.close();
      await Promise.all(running.map((server) => server.stop()));
      await databaseWire?.close();
      await postgres?.stop();
      rmSync(cwd, { recursive: true, force: true });
    },
  };
}
