import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import type { Role } from "../../src/core/role.ts";
import { type Nodes, openNodes } from "../support/nodes.ts";
import type { ServerProcess } from "../support/server-process.ts";

/** The password of every user. */
export const password = "correct horse battery staple";

/** A name that would be a program, in a page that takes text for HTML. */
export const hostileName = `<img src=x onerror="document.title='hacked'">`;

/** A name that is written from right to left. */
export const arabicName = "مستخدم (1)";

/** A name of symbols outside of the Basic Multilingual Plane. */
export const symbolName = "🦊🇩🇪";

/** A name as long as names can be. */
export const longName = "w".repeat(150);

/** All the names that a page could stumble over, of those that users can have. */
export const strangeNames = [hostileName, arabicName, symbolName, longName] as const;

/** Names that tokenpair itself refuses, and that an application's own users may have: they turn the text around them, or have no end. */
export const foreignNames: readonly string[] = [
  "\u202Egnp.exe\u2067 x",
  "👩\u200D👩\u200D👧",
  `${"endless ".repeat(1_249)}endless!`,
  "",
];

/** A server with the console, and what it shows. */
export interface ConsoleSite {
  readonly nodes: Nodes;
  /** The address of the console, with a slash at the end. */
  readonly url: string;
  readonly origin: string;
  /** The ids of the users, by name. */
  readonly ids: ReadonlyMap<string, string>;
  /** Returns the id of a user. @throws if there is no such user. */
  readonly idOf: (username: string) => string;
  /** Creates another user. */
  readonly addUser: (username: string, role?: Role | null) => Promise<string>;
  /** Logs a user in, on a device of its own. */
  readonly logIn: (username: string, device?: number) => Promise<void>;
  /** Returns how many live sessions a user has. */
  readonly countSessions: (username: string) => Promise<number>;
  /** Returns the audit entries of a type, newest first. */
  readonly readAudit: (type: string) => Promise<Awaited<ReturnType<Nodes["auth"]["audit"]["list"]>>["entries"]>;
  /** Makes the logins of a user so old that dangerous actions ask for the password. Access tokens don't know it yet. */
  readonly makeLoginOld: (username: string) => Promise<void>;
  /** Leaves a user without a password. */
  readonly forgetPassword: (username: string) => Promise<void>;
  /** Gives a user a name that tokenpair would refuse. */
  readonly rename: (username: string, next: string) => Promise<void>;
  close(): Promise<void>;
}

/** What is unusual about a site. */
export interface ConsoleSiteOptions {
  readonly database?: "SQLite" | "PostgreSQL";
  /** How many server processes. Default: 1. */
  readonly servers?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the signing keys are in the database. Default: the signing key is a setting. */
  readonly hasKeyRing?: boolean;
}

const agents = [
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/153.0.0.0 Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0",
];

/** Starts `tokenpair serve --console`, with staff, users, sessions and events. */
export async function openConsoleSite({
  database = "SQLite",
  servers = 1,
  env = {},
  hasKeyRing = false,
}: ConsoleSiteOptions = {}): Promise<ConsoleSite> {
  const nodes = await openNodes({
    database,
    servers,
    args: ["--console"],
    // A node that pauses for some seconds must not leave a revocation unconfirmed.
    env: { TOKENPAIR_PAGE: "true", TOKENPAIR_CONFIRM_TIMEOUT: "60", ...env },
    own: { maxStaleness: 60 },
    ...(hasKeyRing && { keyEncryptionKey: randomBytes(32).toString("base64url") }),
  });
  const { auth } = nodes;
  const ids = new Map<string, string>();
  async function addUser(username: string, role: Role | null = null, email?: string): Promise<string> {
    const { id } = await auth.users.create({ username, role, password, ...(email === undefined ? {} : { email }) });
    ids.set(username, id);
    return id;
  }
  function idOf(username: string): string {
    const id = ids.get(username);
    if (id === undefined) throw new Error(`no user ${username}`);
    return id;
  }
  async function logIn(username: string, device = 0): Promise<void> {
    const client = { ip: `203.0.113.${device + 1}`, userAgent: agents[device % agents.length] ?? "" };
    await auth.login({ username, password }, { client });
  }
  /** Runs a statement that no function of tokenpair's has. */
  async function change(sql: string, values: readonly string[]): Promise<void> {
    if (nodes.postgres === null) {
      const file = new DatabaseSync(join(nodes.directory, "tokenpair.db"));
      file.exec("PRAGMA busy_timeout = 10000");
      file.prepare(sql.replace(/\$(\d)/g, "?$1")).run(...values);
      file.close();
    } else {
      const client = new pg.Client(nodes.postgres.url);
      await client.connect();
      await client.query(`SET search_path TO tokenpair`);
      await client.query(sql, [...values]);
      await client.end();
    }
  }
  await addUser("ada", "admin", "ada@example.com");
  await addUser("sam", "support");
  await addUser("vera", "viewer");
  for (const [index, name] of ["grace", "linus", "barbara", "edsger", ...strangeNames].entries()) {
    const id = await addUser(name, null, index < 4 ? `${name}@example.com` : undefined);
    for (let session = 0; session < (index < 2 ? 3 : 1); session += 1) await logIn(name, index + session);
    if (name === "barbara") await auth.users.disable(id);
  }
  const wrong = { username: "grace", password: "wrong" };
  await auth.login(wrong, { client: { ip: "203.0.113.3", userAgent: agents[2] ?? "" } }).catch(() => undefined);
  const server = nodes.servers[0] as ServerProcess;
  const origin = `http://localhost:${server.port}`;
  return {
    nodes,
    origin,
    url: `${origin}/console/`,
    ids,
    idOf,
    addUser,
    logIn,
    countSessions: async (username) => (await auth.sessions.list(idOf(username))).length,
    async readAudit(type) {
      const { entries } = await auth.audit.list({ limit: 1_000 });
      return entries.filter((entry) => entry.type === type).toReversed();
    },
    makeLoginOld: (username) =>
      change("UPDATE sessions SET authenticated_at = authenticated_at - 3600 WHERE user_id = $1", [idOf(username)]),
    forgetPassword: (username) => change("UPDATE users SET password_hash = NULL WHERE id = $1", [idOf(username)]),
    async rename(username, next) {
      const id = idOf(username);
      await change("UPDATE users SET username = $2 WHERE id = $1", [id, next]);
      ids.set(next, id);
    },
    async close() {
      await Promise.all(nodes.servers.map((one) => one.stop()));
      await nodes.close();
    },
  };
}
