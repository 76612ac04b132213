import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Auth, createAuth } from "../../src/index.ts";
import { postgresStore } from "../../src/store/postgres/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { startPostgres } from "./postgres.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

/** Server processes over one database, and the same database opened by the test itself as one more node. */
export interface Nodes {
  readonly servers: readonly ServerProcess[];
  readonly auth: Auth;
  /** The SQLite file. */
  readonly databasePath: string;
  /** Starts one more server, or one that was killed, on its old port. */
  start(port?: number): Promise<ServerProcess>;
  /** Creates a user with this password; the id. */
  addUser(username: string, password: string): Promise<string>;
  close(): Promise<void>;
}

export interface NodesOptions {
  readonly database: "SQLite" | "PostgreSQL";
  readonly servers: number;
  readonly env?: Readonly<Record<string, string>>;
}

export async function openNodes({ database, servers, env = {} }: NodesOptions): Promise<Nodes> {
  const cwd = mkdtempSync(join(tmpdir(), "tokenpair-"));
  const databasePath = join(cwd, "tokenpair.db");
  const postgres = database === "PostgreSQL" ? await startPostgres() : null;
  const store = postgres === null ? sqliteStore(databasePath) : postgresStore(postgres.url);
  await store.migrate();
  const signingKey = randomBytes(48).toString("hex");
  const auth = createAuth({ store, signingKey });
  await auth.ready();

  const settings = {
    TOKENPAIR_DATABASE_URL: postgres?.url ?? `sqlite:${databasePath}`,
    TOKENPAIR_SIGNING_KEY: signingKey,
    // The page needs a build.
    TOKENPAIR_PAGE: "false",
    // All the races come from one address.
    TOKENPAIR_REFRESH_LIMIT: "0",
    ...env,
  };
  const start = (port = 0) => startServer({ cwd, port, env: settings });
  const running = await Promise.all(Array.from({ length: servers }, () => start()));
  return {
    servers: running,
    auth,
    databasePath,
    start,
    addUser: async (username, password) => {
      const user = await auth.users.create({ username, password });
      if (user === null) throw new Error(`${username} exists`);
      return user.id;
    },
    close: async () => {
      auth.close();
      await store.close();
      await Promise.all(running.map((server) => server.stop()));
      await postgres?.stop();
      rmSync(cwd, { recursive: true, force: true });
    },
  };
}
