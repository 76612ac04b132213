import type { AnyAuth } from "../auth.ts";
import { isLoopbackHostname } from "../core/addresses.ts";
import { getInternals } from "../internals.ts";
import type { Console } from "../staff/index.ts";
import type { Config } from "./config/config.ts";
import { ConfigError } from "./config/config-error.ts";
import type { ServerSettings } from "./config/server-settings.ts";
import type { Handler, RequestRecord } from "./handlers/app.ts";
import { type ListenOptions, listen } from "./listen/listen.ts";
import type { Listeners } from "./listen/listeners.ts";
import type { ServerLog } from "./observe/log.ts";
import { toRouteGroup } from "./observe/route-groups.ts";
import type { Resources } from "./resources.ts";

/**
 * Loads the console, if it is on. `--demo` turns it on too, on this machine only.
 *
 * @returns the handler of the console and of the staff API, or `null`.
 * @throws ConfigError if it would be reachable over plain http.
 */
export async function createStaffHandler(
  auth: AnyAuth,
  config: Config,
  { demo, resources }: { readonly demo: boolean; readonly resources: Resources },
): Promise<(Handler & Pick<Console, "time" | "drain">) | null> {
  const { server, settings } = config;
  const host = server.consolePort === undefined ? server.host : server.consoleHost;
  const isLocal = isLoopbackHostname(host);
  if (!server.console && !(demo && isLocal)) return null;
  if (!isLocal && (settings.insecureCookies || settings.trustedProxies.length === 0)) {
    throw new ConfigError(
      `console: it would be served over plain http at ${host}; set host, or consoleHost and consolePort, to a loopback address, ` +
        "or put an https proxy in front and name it in trustedProxies",
    );
  }
  // Loaded only if the console is on.
  const [{ createConsoleWith }, { createServerParts }] = await Promise.all([
    import("../staff/create-console.ts"),
    import("./doctor/server-parts.ts"),
  ]);
  const staff = createConsoleWith(auth, {}, createServerParts(getInternals(auth).deps.store, config));
  resources.add(() => staff.close());
  return staff;
}

/** The options of `listenForConsole`. */
export interface ConsoleListenerOptions {
  /** Answers the requests. */
  readonly fetch: ListenOptions["fetch"];
  readonly server: ServerSettings;
  readonly log: Pick<ServerLog, "malformed">;
  /** The listener is added to them. */
  readonly listeners: Pick<Listeners, "add">;
}

/** Starts the console's own listener. Returns the console's URL there, or `null` without `consolePort`. */
export async function listenForConsole({
  fetch,
  server,
  log,
  listeners,
}: ConsoleListenerOptions): Promise<string | null> {
  const { consoleHost: host, consolePort: port } = server;
  if (port === undefined) return null;
  const { url } = listeners.add(await listen({ fetch, host, port, onMalformed: log.malformed, limits: server }));
  return `${url}/console/`;
}

const loginRoutes: ReadonlySet<string> = new Set(["auth/login", "token", "token/continue"]);
const refreshRoutes: ReadonlySet<string> = new Set(["auth/refresh", "token/refresh"]);

/** Passes on how long logins and refreshes take. */
export function timeForStaff(
  staff: Pick<Console, "time">,
  { path, milliseconds }: RequestRecord,
  settings: Pick<Config["settings"], "tokenPath" | "authPath">,
): void {
  const route = toRouteGroup(path, settings);
  if (loginRoutes.has(route)) staff.time("login", milliseconds);
  else if (refreshRoutes.has(route)) staff.time("refresh", milliseconds);
}
