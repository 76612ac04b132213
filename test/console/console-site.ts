import type { Role } from "../../src/core/role.ts";
import { type Nodes, openNodes } from "../support/nodes.ts";
import type { ServerProcess } from "../support/server-process.ts";

/** The password of every user. */
export const password = "correct horse battery staple";

/** A name that would be a program, in a page that takes text for HTML. */
export const hostileName = `<img src=x onerror="document.title='hacked'">`;

/** A name that is written from right to left. */
export const arabicName = "مستخدم (1)";

/** A name as long as names can be. */
export const longName = "w".repeat(150);

/** A server with the console, and what it shows. */
export interface ConsoleSite {
  readonly nodes: Nodes;
  /** The address of the console, with a slash at the end. */
  readonly url: string;
  readonly origin: string;
  /** The ids of the users, by name. */
  readonly ids: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

const agents = [
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/153.0.0.0 Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0",
];

/** Starts `tokenpair serve --console`, with staff, users, sessions and events. */
export async function openConsoleSite(env: Readonly<Record<string, string>> = {}): Promise<ConsoleSite> {
  const nodes = await openNodes({
    database: "SQLite",
    servers: 1,
    args: ["--console"],
    env: { TOKENPAIR_PAGE: "true", ...env },
  });
  const { auth } = nodes;
  const ids = new Map<string, string>();
  async function addUser(username: string, role: Role | null, email: string | null): Promise<string> {
    const { id } = await auth.users.create({ username, role, password, ...(email === null ? {} : { email }) });
    ids.set(username, id);
    return id;
  }
  const client = (index: number) => ({ ip: `203.0.113.${index + 1}`, userAgent: agents[index % agents.length] ?? "" });
  await addUser("ada", "admin", "ada@example.com");
  await addUser("sam", "support", null);
  await addUser("vera", "viewer", null);
  for (const [index, name] of ["grace", "linus", "barbara", "edsger", hostileName, arabicName, longName].entries()) {
    const id = await addUser(name, null, index < 4 ? `${name}@example.com` : null);
    for (let session = 0; session < (index < 2 ? 3 : 1); session += 1) {
      await auth.login({ username: name, password }, { client: client(index + session) });
    }
    if (name === "barbara") await auth.users.disable(id);
  }
  await auth.login({ username: "grace", password: "wrong" }, { client: client(2) }).catch(() => undefined);
  const server = nodes.servers[0] as ServerProcess;
  const origin = `http://localhost:${server.port}`;
  return {
    nodes,
    origin,
    url: `${origin}/console/`,
    ids,
    async close() {
      await server.stop();
      await nodes.close();
    },
  };
}
