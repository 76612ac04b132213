import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Auth, createAuth } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";

/** Server processes over one SQLite file, and the same file opened by the test itself as one more process. */
export interface OneFile {
  readonly servers: readonly ServerProcess[];
  readonly auth: Auth;
  readonly databasePath: string;
  /** Starts one more server on the file, or one that was killed, on its old port. */
  start(port?: number): Promise<ServerProcess>;
  /** Creates a user with this password; the id. */
  addUser(username: string, password: string): Promise<string>;
  close(): Promise<void>;
}

export async function openOneFile(servers: number, env: Readonly<Record<string, string>> = {}): Promise<OneFile> {
  const cwd = mkdtempSync(join(tmpdir(), "tokenpair-"));
  const start = (port = 0) => startServer({ cwd, port, env });
  // The first makes the database and the key that the others find.
  const running = [await start()];
  while (running.length < servers) running.push(await start());
  const databasePath = join(cwd, "data/tokenpair.db");
  const store = sqliteStore(databasePath);
  const auth = createAuth({ store, signingKey: readFileSync(join(cwd, "data/signing.key"), "utf8").trim() });
  await auth.ready();
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
      rmSync(cwd, { recursive: true, force: true });
    },
  };
}
