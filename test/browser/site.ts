import type { SessionView } from "../../src/flows/sessions/sessions.ts";
import { openNodes } from "../support/nodes.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { verifyAccess } from "../support/wire.ts";
import { traits } from "./browsers.ts";
import type { Device } from "./device.ts";
import { until } from "./until.ts";

/** A line of the server's log. */
export interface LogLine {
  readonly msg: string;
  readonly method?: string;
  readonly path?: string;
  readonly status?: number;
  readonly outcome?: string;
  readonly userId?: string;
}

/** A server in a process of its own. */
export interface Site {
  readonly origin: string;
  readonly port: number;
  /** Returns what the server has logged until now. */
  readonly log: () => Promise<readonly LogLine[]>;
  /** Returns the outcomes of this user's refreshes until now. */
  readonly refreshesOf: (username: string) => Promise<readonly string[]>;
  /** Creates a user with `password` and returns the name. */
  readonly newUser: () => Promise<string>;
  /** Returns whether `password` is this user's password. */
  readonly hasPassword: (username: string) => Promise<boolean>;
  /** Revokes the access token in a device's cookies. The server refuses it from then on, so the next request refreshes. */
  readonly revokeAccess: (device: Device) => Promise<void>;
  /** Returns this user's sessions, newest first. */
  readonly sessionsOf: (username: string) => Promise<readonly SessionView[]>;
  /** Stops the process without a warning (SIGKILL). */
  readonly kill: () => Promise<void>;
  /** Starts the server again on the same port. */
  readonly restart: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The password of every user. */
export const password = "correct horse battery staple";

/**
 * The path of a document of the server's without a client. It has the headers of the page: if it had others, WebKitWebDriver
 * would lose the tab on the way back.
 */
export const documentPath = "/assets/page/icon.svg";

/** The server's settings. Seconds. */
export interface Lifetimes {
  readonly access: number;
  readonly refresh?: number;
  readonly reuseInterval?: number;
}

/** Other settings of the server. */
export interface SiteSettings {
  /** The prefix that a proxy removes. Default: none. */
  readonly publicPath?: string;
  /** The name of the header that carries the CSRF token. Default: the server's default. */
  readonly csrfHeaderName?: string;
  /** How many streams of session events the server has. 0: pages learn with their next request that a session is over. */
  readonly maxSessionStreams?: number;
}

/** Starts a server with a new database. */
export async function openSite({
  access,
  refresh = 600,
  reuseInterval = 10,
  publicPath,
  csrfHeaderName,
  maxSessionStreams,
}: Lifetimes & SiteSettings): Promise<Site> {
  const env = {
    TOKENPAIR_PAGE: "true",
    TOKENPAIR_LOG_LEVEL: "info",
    TOKENPAIR_ACCESS_TOKEN_LIFETIME: String(access),
    TOKENPAIR_REFRESH_TOKEN_LIFETIME: String(refresh),
    TOKENPAIR_REUSE_INTERVAL: String(reuseInterval),
    ...(publicPath === undefined ? {} : { TOKENPAIR_PUBLIC_PATH: publicPath }),
    ...(maxSessionStreams === undefined ? {} : { TOKENPAIR_MAX_SESSION_STREAMS: String(maxSessionStreams) }),
    ...(csrfHeaderName === undefined ? {} : { TOKENPAIR_CSRF_HEADER_NAME: csrfHeaderName }),
  };
  // Only with development cookies does WebKit keep the session at http://localhost.
  const args = traits.keepsSecureCookies ? [] : ["--demo"];
  const nodes = await openNodes({ database: "SQLite", servers: 1, env, args });
  let server = nodes.servers[0] as ServerProcess;
  const lines: LogLine[] = [];
  const users = new Map<string, string>();
  let serial = 0;
  let marks = 0;
  const { port } = server;
  const isMark = ({ path = "" }: LogLine) => path.startsWith("/mark/");

  function listen(): void {
    let rest = "";
    server.process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts.filter((part) => part.startsWith("{")).map((part) => JSON.parse(part) as LogLine));
    });
  }

  /** The log arrives later than the responses, so this sends a request of its own and waits for its line. */
  async function readLog(): Promise<readonly LogLine[]> {
    marks += 1;
    const mark = `/mark/${marks}`;
    await fetch(`http://localhost:${port}${mark}`);
    await until(() => lines.some(({ path }) => path === mark));
    return lines.filter((line) => !isMark(line));
  }

  listen();
  return {
    origin: `http://localhost:${port}`,
    port,
    log: readLog,
    async refreshesOf(username) {
      const own = (await readLog()).filter(({ msg, userId }) => msg === "refresh" && userId === users.get(username));
      return own.map(({ outcome }) => outcome ?? "");
    },
    async newUser() {
      serial += 1;
      const username = `user-${serial}`;
      users.set(username, await nodes.addUser(username, password));
      return username;
    },
    hasPassword: (username) =>
      nodes.auth.login({ username, password }).then(
        () => true,
        () => false,
      ),
    async revokeAccess(device) {
      const cookies = await device.cookies(`http://localhost:${port}`);
      const access = cookies.find(({ name }) => name.endsWith("access"))?.value ?? "";
      const { jti } = JSON.parse(Buffer.from(access.split(".")[1] ?? "", "base64url").toString());
      await nodes.auth.revokeToken(jti);
      await until(async () => (await verifyAccess(`http://localhost:${port}`, access)) === 401);
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
