import { setTimeout as sleep } from "node:timers/promises";
import type { Health } from "../auth-results.ts";
import { isLoopbackHostname } from "../core/addresses.ts";
import type { Store } from "../core/store/index.ts";
import { startCleanup } from "./cleanup.ts";
import type { Config } from "./config/config.ts";
import type { CreatedKey } from "./config/open-database.ts";
import { createStaffHandler, listenForConsole } from "./console.ts";
import { type Demo, ensureDemoUser } from "./demo/demo-user.ts";
import { startDemonstration } from "./demo/start.ts";
import { stopping } from "./handlers/health.ts";
import { createPage } from "./handlers/page.ts";
import { type ListenOptions, listen } from "./listen/listen.ts";
import { listenForMetrics } from "./listen/listen-for-metrics.ts";
import { createListeners } from "./listen/listeners.ts";
import type { ServerLog } from "./observe/log.ts";
import type { LineWriter } from "./observe/log-output.ts";
import type { Metrics } from "./observe/metrics.ts";
import { openLog } from "./observe/open-log.ts";
import { createStrippedPrefixWarning } from "./observe/stripped-prefix.ts";
import { openAuth } from "./open-auth.ts";
import { openWithResources, type Resources } from "./resources.ts";
import { toServerApps } from "./server-app.ts";

/** The options of `serve`. */
export interface ServeOptions {
  /**
   * The stream to which the lines of the log are written. If it is a stream of Node, it needs a listener for the event
   * "error".
   */
  readonly logTo: LineWriter;
  /** Called once, with the error of the first line of the log that could not be written. Default: does nothing. */
  readonly onLogLost?: (error: Error) => void;
  /**
   * Whether to create the user `demo` if there are no users, and to give browsers on this machine development cookies.
   * Default: false.
   */
  readonly demo?: boolean;
  /** The worker that this process is. Default: none, because one process answers all requests. */
  readonly worker?: WorkerRole;
}

/** What a server knows of the other workers of its machine. */
export interface WorkerRole {
  /** The worker's number, from 1. */
  readonly number: number;
  /** Returns the health of all workers together, which `GET /readyz` answers. */
  readonly health: () => Promise<Health>;
}

/** A running server. */
export interface RunningServer {
  /** The server's URL, for example "http://127.0.0.1:8000". */
  readonly url: string;
  /** The URL of the metrics, for example "http://127.0.0.1:9464/metrics". `null` without `metricsPort`. */
  readonly metricsUrl: string | null;
  /** The URL of the console. `null` if it is off. */
  readonly consoleUrl: string | null;
  /** A text for people that describes the database. It contains no password. */
  readonly database: string;
  /** The signing key or secret that was created at this start. `null` if it already existed. */
  readonly createdKey: CreatedKey | null;
  /** What the operator should know about unsafe settings, as full sentences. */
  readonly warnings: readonly string[];
  /** The demo user that was created at this start, or `null`. Show the password now: only its hash is stored. */
  readonly demo: Demo | null;
  readonly log: ServerLog;
  /** The setting `shutdownDelay`. */
  readonly shutdownDelay: number;
  /** Returns the health of this process. */
  health(): Promise<Health>;
  /** Returns the metrics of this process in the text format of Prometheus. Without `metricsPort`, they are empty. */
  metrics(): Promise<string>;
  /**
   * Makes `/readyz` answer 503, and waits for `shutdownDelay`. Then stops accepting requests, answers running ones, and closes
   * the feed and the store, within 10 seconds. Further calls do nothing more.
   */
  close(): Promise<void>;
}

/** How long closing waits for running requests, in milliseconds. The rest of the 10 s is for closing the store. */
const closeTimeout = 8_000;

/** How long a worker still takes the connections that the supervisor has already accepted, in milliseconds. */
const handOverTime = 500;

/**
 * Migrates the database, loads the revocations, and starts to serve. If it fails, it closes everything that it has opened.
 *
 * @throws ConfigError if a setting is wrong.
 * @throws SchemaVersionError if the database is newer than this version.
 * @throws StoreUnavailableError if the database can't answer.
 */
export function serve(config: Config, options: ServeOptions): Promise<RunningServer> {
  return openWithResources((resources) => start(config, options, resources));
}

async function start(config: Config, options: ServeOptions, resources: Resources): Promise<RunningServer> {
  const { server, settings } = config;
  const { host, port, shutdownDelay } = server;
  const isDemo = options.demo === true;
  // It acts for users, so only pages on this machine have it.
  const hasDemonstration = isDemo && isLoopbackHostname(host) && settings.findUser === undefined;
  const worker = options.worker?.number;
  const page = server.page
    ? [createPage(settings, { developmentCookies: isDemo, demonstration: hasDemonstration })]
    : [];
  const { log, lostLines } = openLog(config, { logTo: options.logTo, onLogLost: options.onLogLost, worker });
  const onError = (error: unknown) => log.error(error, "a request failed");
  const opened = await openAuth(config, { log, lostLines, developmentCookies: isDemo, worker, onError, resources });
  const { auth, store, metrics, database, createdKey, warnings } = opened;
  const demonstration = hasDemonstration
    ? startDemonstration({ auth, options: opened.options, findUrl: () => listener.url, resources })
    : null;
  const staff = await createStaffHandler(auth, config, { demo: isDemo, resources });

  let isStopping = false;
  const health = async (): Promise<Health> => (isStopping ? stopping : auth.health());
  const healthOfAll = options.worker?.health ?? health;
  const toApp = toServerApps(config, {
    auth,
    log,
    metrics,
    staff,
    demonstration,
    health: () => (isStopping ? health() : healthOfAll()),
    onError,
  });
  const hasConsoleListener = staff !== null && server.consolePort !== undefined;
  const app = toApp([...(staff === null || hasConsoleListener ? [] : [staff]), ...page]);
  if (server.cleanupInterval > 0) addCleanup(store, config, { log, metrics }, resources);
  const demo = isDemo && settings.findUser === undefined ? await ensureDemoUser(auth.users, settings) : null;

  const metricsUrl =
    worker === undefined && metrics !== null
      ? await listenForMetrics({ fetch: metrics.fetch, server, log, resources })
      : null;
  const listeners = createListeners();
  resources.add(() => listeners.close(closeTimeout));
  const consoleUrl = staff && (await listenForConsole({ fetch: toApp([staff, ...page]), server, log, listeners }));
  const warnOfStrippedPrefix = createStrippedPrefixWarning(settings, log.publicPath);
  const fetch: ListenOptions["fetch"] = (request, connection, socket) => {
    warnOfStrippedPrefix(request);
    if (demonstration === null) return app(request, connection);
    return demonstration.around(request, connection, { socket, answer: app });
  };
  const listener = listeners.add(await listen({ fetch, host, port, onMalformed: log.malformed, limits: server }));
  // Before the listeners close, because streams would keep them open.
  resources.add(() => {
    demonstration?.drain();
    staff?.drain();
    auth.drain();
  });
  resources.add(async () => {
    isStopping = true;
    listeners.retire();
    await sleep(Math.max(shutdownDelay * 1_000, worker === undefined ? 0 : handOverTime));
  });
  const { url } = listener;
  return Object.freeze({
    url,
    metricsUrl,
    consoleUrl: consoleUrl ?? (staff && `${url}/console/`),
    database,
    createdKey,
    warnings,
    demo,
    log,
    shutdownDelay,
    health,
    metrics: async () => metrics?.text() ?? "",
    close: resources.close,
  });
}

function addCleanup(
  store: Store,
  { settings, server }: Config,
  { log, metrics }: { readonly log: ServerLog; readonly metrics: Metrics | null },
  resources: Resources,
): void {
  const cleanup = startCleanup({
    store,
    auditRetention: settings.auditRetention,
    interval: server.cleanupInterval,
    onDone(deleted) {
      log.cleanup(deleted);
      metrics?.cleanup(deleted);
    },
    onError(error) {
      log.error(error, "the cleanup failed");
      metrics?.cleanup(null);
    },
  });
  resources.add(() => cleanup.stop());
}
