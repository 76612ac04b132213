import type { SessionView } from "../../src/flows/sessions.ts";
import { openNodes } from "../support/nodes.ts";
import type { ServerProcess } from "../support/server-process.ts";

/** What the server wrote into its log about one request or event. */
export interface LogLine {
  readonly msg: string;
  readonly method?: string;
  readonly path?: string;
  readonly status?: number;
  readonly outcome?: string;
  readonly userId?: string;
}

/** The server as a process, as a browser finds it, and what only the test knows of it. */
export interface Site {
  readonly origin: string;
  readonly port: number;
  /** What the server has said of its requests and events. */
  readonly log: () => readonly LogLine[];
  /** How the refreshes of this user's sessions ended. */
  readonly refreshesOf: (username: string) => readonly string[];
  /** Creates a user with `password`; the name. */
  readonly newUser: () => Promise<string>;
  /** This user's sessions, newest first. */
  readonly sessionsOf: (username: string) => Promise<readonly SessionView[]>;
  /** Ends the server without warning. */
  readonly kill: () => Promise<void>;
  /** Starts a killed server again, at the same address. */
  readonly restart: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Every user's. */
export const password = "correct horse battery staple";

/** Lifetimes in seconds. */
export interface Lifetimes {
  readonly access: number;
  readonly refresh?: number;
  readonly reuseInterval?: number;
}

/** Starts a server on a database of its own. */
export async function openSite({ access, refresh = 600, reuseInterval = 10 }: Lifetimes): Promise<Site> {
  const env = {
    TOKENPAIR_PAGE: "true",
    TOKENPAIR_LOG_LEVEL: "info",
    TOKENPAIR_ACCESS_TOKEN_LIFETIME: String(access),
    TOKENPAIR_REFRESH_TOKEN_LIFETIME: String(refresh),
    TOKENPAIR_REUSE_INTERVAL: String(reuseInterval),
  };
  const nodes = await openNodes({ database: "SQLite", servers: 1, env });
  let server = nodes.servers[0] as ServerProcess;
  const lines: LogLine[] = [];
  const users = new Map<string, string>();
  let serial = 0;
  const { port } = server;

  function listen(): void {
    let rest = "";
    server.process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts.filter((part) => part.startsWith("{")).map((part) => JSON.parse(part) as LogLine));
    });
  }

  listen();
  return {
    origin: `http://localhost:${port}`,
    port,
    log: () => lines,
    refreshesOf(username) {
      const own = lines.filter(({ msg, userId }) => msg === "refresh" && userId === users.get(username));
      return own.map(({ outcome }) => outcome ?? "");
    },
    async newUser() {
      serial += 1;
      const username = `user-${serial}`;
      users.set(username, await nodes.addUser(username, password));
      return username;
    },
    sessionsOf: (username) => nodes.auth.sessions.list(users.get(username) ?? ""),
    kill: () => server.kill(),
    async restart() {
      server = await nodes.start(port);
      listen();
    },
    async close() {
      await server.stop();
      await nodes.close();
    },
  };
}
