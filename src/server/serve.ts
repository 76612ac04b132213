import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Health } from "../auth-results.ts";
import { isLoopbackHostname } from "../core/addresses.ts";
import { systemClock } from "../core/runtime/clock.ts";
import type { Store } from "../core/store/index.ts";
import { createAuthWith } from "../create-auth.ts";
import { createClientIpFinder } from "../http/request/client-ip.ts";
import { startCleanup } from "./cleanup.ts";
import type { Config } from "./config/config.ts";
import { withAsyncConfigErrors, withConfigErrors } from "./config/config-error.ts";
import { toLegacyWarnings } from "./config/legacy-warnings.ts";
import { type CreatedKey, openDatabase, toAuthOptions } from "./config/open-database.ts";
import type { ServerSettings } from "./config/server-settings.ts";
import { createStaffHandler, listenForConsole, timeForStaff } from "./console.ts";
import { type Demo, ensureDemoUser } from "./demo/demo-user.ts";
import { startDemonstration } from "./demo/start.ts";
import { createApp, type Handler } from "./handlers/app.ts";
import { createHealth, stopping } from "./handlers/health.ts";
import { createPage } from "./handlers/page.ts";
import { type ListenOptions, listen } from "./listen/listen.ts";
import { createListeners } from "./listen/listeners.ts";
import { createLog, type ServerLog } from "./observe/log.ts";
import { createLogOutput, type LineWriter } from "./observe/log-output.ts";
import { createLostCookieWarning } from "./observe/lost-cookies.ts";
import { createMetrics, type Metrics } from "./observe/metrics.ts";
import { createStrippedPrefixWarning } from "./observe/stripped-prefix.ts";
import { createResources, type Resources } from "./resources.ts";

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

/** How long closing waits for running requests for metrics, in milliseconds. */
const metricsCloseTimeout = 500;

/**
 * Migrates the database, loads the revocations, and starts to serve. If it fails, it closes everything that it has opened.
 *
 * @throws ConfigError if a setting is wrong.
 * @throws SchemaVersionError if the database is newer than this version.
 * @throws StoreUnavailableError if the database can't answer.
 */
export async function serve(config: Config, options: ServeOptions): Promise<RunningServer> {
  const resources = createResources();
  try {
    return await start(config, options, resources);
  } catch (error) {
    await resources.close();
    throw error;
  }
}

async function start(config: Config, options: ServeOptions, resources: Resources): Promise<RunningServer> {
  const { server, settings } = config;
  const developmentCookies = options.demo === true;
  // It acts for users, so only pages on this machine have it.
  const hasDemonstration = options.demo === true && isLoopbackHostname(server.host) && settings.findUser === undefined;
  const page = server.page ? [createPage(settings, { developmentCookies, demonstration: hasDemonstration })] : [];
  const output = createLogOutput(options.logTo, {
    onLost: (error) => options.onLogLost?.(error),
    onRecovered: (lost) => log.linesLost(lost),
  });
  const worker = options.worker?.number;
  const log = createLog({ settings, level: server.logLevel, destination: output, worker });
  const onError = (error: unknown) => log.error(error, "a request failed");
  const { store, database, keys, createdKey, event } = await openDatabase(config);
  resources.add(() => store.close());
  const onLag = (seconds: number) => metrics?.lag(seconds);
  const warnings: string[] = [];
  const nodeName = toNodeName(settings, options.worker);
  const authOptions = { ...toAuthOptions(config, { store, keys }), nodeName, onError };
  const auth = withConfigErrors(() =>
    createAuthWith({ ...authOptions, onLag }, { developmentCookies, warn: (warning) => warnings.push(warning) }),
  );
  resources.add(() => auth.close());
  const demonstration = hasDemonstration
    ? startDemonstration({ auth, options: authOptions, findUrl: () => listener.url, resources })
    : null;
  const metrics =
    server.metricsPort === undefined
      ? null
      : createMetrics({ settings, stats: auth.stats, lostLogLines: output.lost, worker });
  auth.on((event) => {
    log.event(event);
    metrics?.event(event);
    if (event.type === "legacy_key") warnings.push(...toLegacyWarnings(event));
  });
  await withAsyncConfigErrors(auth.ready());
  if (event !== null) log.event(event);
  let isStopping = false;
  const health = async (): Promise<Health> => (isStopping ? stopping : auth.health());
  const toReadiness = () => (isStopping ? health() : (options.worker ?? { health }).health());
  const warnOfLostCookies = createLostCookieWarning(settings, log.lostCookies);
  const warnOfStrippedPrefix = createStrippedPrefixWarning(settings, log.publicPath);
  const staff = await createStaffHandler(auth, config, { demo: options.demo === true, resources });
  const createServerApp = (handlers: readonly Handler[]) =>
    createApp({
      handlers: [
        createHealth({ health: toReadiness }),
        ...(demonstration === null ? [] : [demonstration]),
        ...handlers,
      ],
      fallback: {
        fetch(request, connection) {
          warnOfLostCookies(request);
          return auth.fetch(request, connection);
        },
      },
      clock: systemClock,
      strictTransportSecurity: server.strictTransportSecurity,
      findClientIp: createClientIpFinder(settings),
      onAnswered: (record) => {
        log.request(record);
        metrics?.request(record);
        if (staff !== null && record.method === "POST") timeForStaff(staff, record, settings);
      },
      onError,
    });
  const hasConsoleListener = staff !== null && server.consolePort !== undefined;
  const app = createServerApp([...(staff === null || hasConsoleListener ? [] : [staff]), ...page]);
  if (server.cleanupInterval > 0) addCleanup(store, config, { log, metrics }, resources);
  const demo = options.demo && settings.findUser === undefined ? await ensureDemoUser(auth.users, settings) : null;

  const metricsUrl = worker === undefined ? metrics && (await listenForMetrics(metrics, server, log, resources)) : null;
  const listeners = createListeners();
  resources.add(() => listeners.close(closeTimeout));
  const consoleUrl =
    staff && (await listenForConsole(createServerApp([staff, ...page]), server, log.malformed, listeners));
  const { host, port } = server;
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
  const { shutdownDelay } = server;
  resources.add(async () => {
    isStopping = true;
    listeners.retire();
    await sleep(Math.max(shutdownDelay * 1_000, worker === undefined ? 0 : handOverTime));
  });
  const { url } = listener;
  return Object.freeze({
    ...{ url, metricsUrl, database, createdKey, warnings, demo, log, shutdownDelay },
    consoleUrl: consoleUrl ?? (staff && `${url}/console/`),
    health,
    metrics: async () => metrics?.text() ?? "",
    close: resources.close,
  });
}

/** Each worker is a separate node, so operators must be able to tell them apart. */
function toNodeName({ nodeName = hostname() }: Config["settings"], worker: WorkerRole | undefined): string {
  return worker === undefined ? nodeName : `${nodeName} worker ${worker.number}`;
}

async function listenForMetrics(
  { fetch }: Metrics,
  limits: ServerSettings,
  { malformed: onMalformed }: ServerLog,
  resources: Resources,
): Promise<string> {
  const { metricsHost: host, metricsPort: port = 0 } = limits;
  const listener = await listen({ fetch, host, port, onMalformed, limits });
  resources.add(() => listener.close(metricsCloseTimeout));
  return `${listener.url}/metrics`;
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
