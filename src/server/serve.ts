import { hostname } from "node:os";
import { isLoopbackHostname } from "../core/addresses.ts";
import { systemClock } from "../core/runtime/clock.ts";
import type { Store } from "../core/store/index.ts";
import { createAuthWith } from "../create-auth.ts";
import { toAuditRow } from "../events/audit-row.ts";
import type { AuthEvent } from "../events/events.ts";
import { updateUsernameKeys } from "../flows/username-keys.ts";
import { createClientIpFinder } from "../http/request/client-ip.ts";
import { isSealed } from "../keys/states.ts";
import { startCleanup } from "./cleanup.ts";
import type { Config } from "./config/config.ts";
import { ConfigError, withAsyncConfigErrors, withConfigErrors } from "./config/config-error.ts";
import { openStore, parseDatabaseUrl } from "./config/database.ts";
import { createDefaultKey, type DefaultKey, type ServerKey } from "./config/key-file.ts";
import { readLegacyKey } from "./config/legacy-key.ts";
import { toLegacyWarnings } from "./config/legacy-warnings.ts";
import { findServerKeys, type ServerKeys } from "./config/server-keys.ts";
import type { ServerSettings } from "./config/server-settings.ts";
import { createStaffHandler, listenForConsole, timeForStaff } from "./console.ts";
import { type Demo, ensureDemoUser } from "./demo/demo-user.ts";
import { startDemonstration } from "./demo/start.ts";
import { createApp, type Handler } from "./handlers/app.ts";
import { createHealth } from "./handlers/health.ts";
import { createPage } from "./handlers/page.ts";
import { type ListenOptions, listen } from "./listen/listen.ts";
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
  /**
   * Stops accepting requests, answers running ones, and closes the feed and the store, within 10 seconds. Further calls do
   * nothing more.
   */
  close(): Promise<void>;
}

/** A key that was created next to the SQLite database. If the database is in memory, the key is in memory too. */
export interface CreatedKey extends Pick<ServerKey, "file"> {
  readonly key: DefaultKey;
}

/** How long closing waits for running requests, in milliseconds. The rest of the 10 s is for closing the store. */
const closeTimeout = 8_000;

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
  const log = createLog({ settings, level: server.logLevel, destination: output });
  const onError = (error: unknown) => log.error(error, "a request failed");
  const { store, database, keys, createdKey } = await openDatabase(config, resources);
  const onLag = (seconds: number) => metrics?.lag(seconds);
  const warnings: string[] = [];
  const nodeName = settings.nodeName ?? hostname();
  const authOptions = {
    ...settings,
    nodeName,
    store,
    // As bytes, because a key from a file may begin with a slash.
    signingKey: keys.signing === null ? undefined : Buffer.from(keys.signing.text),
    secret: keys.secret === null ? undefined : Buffer.from(keys.secret.text),
    ...toLegacyKey(config),
    onError,
  };
  const auth = withConfigErrors(() =>
    createAuthWith({ ...authOptions, onLag }, { developmentCookies, warn: (warning) => warnings.push(warning) }),
  );
  resources.add(() => auth.close());
  const demonstration = hasDemonstration
    ? startDemonstration({ auth, options: authOptions, findUrl: () => listener.url, resources })
    : null;
  const metrics =
    server.metricsPort === undefined ? null : createMetrics({ settings, stats: auth.stats, lostLogLines: output.lost });
  auth.on((event) => {
    log.event(event);
    metrics?.event(event);
    if (event.type === "legacy_key") warnings.push(...toLegacyWarnings(event));
  });
  await withAsyncConfigErrors(auth.ready());
  if (createdKey?.key === "signing key") await recordCreatedKey(store, settings, log);
  const warnOfLostCookies = createLostCookieWarning(settings, log.lostCookies);
  const warnOfStrippedPrefix = createStrippedPrefixWarning(settings, log.publicPath);
  const staff = await createStaffHandler(auth, config, { demo: options.demo === true, resources });
  const createServerApp = (handlers: readonly Handler[]) =>
    createApp({
      handlers: [createHealth(auth), ...(demonstration === null ? [] : [demonstration]), ...handlers],
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

  const metricsUrl = metrics && (await listenForMetrics(metrics, server, log, resources));
  const consoleUrl =
    staff && (await listenForConsole(createServerApp([staff, ...page]), server, log.malformed, resources));
  const { host, port } = server;
  const fetch: ListenOptions["fetch"] = (request, connection, socket) => {
    warnOfStrippedPrefix(request);
    if (demonstration === null) return app(request, connection);
    return demonstration.around(request, connection, { socket, answer: app });
  };
  const listener = await listen({ fetch, host, port, onMalformed: log.malformed, limits: server });
  resources.add(() => listener.close(closeTimeout));
  // Before that, because streams would keep the listener open.
  resources.add(() => {
    demonstration?.drain();
    auth.drain();
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
    close: resources.close,
  });
}

function toLegacyKey(config: Config): { readonly legacyRefreshKey?: Uint8Array } {
  const legacyRefreshKey = readLegacyKey(config);
  return legacyRefreshKey === undefined ? {} : { legacyRefreshKey };
}

interface OpenedDatabase extends Pick<RunningServer, "database" | "createdKey"> {
  readonly store: Store;
  readonly keys: ServerKeys;
}

async function openDatabase(config: Config, resources: Resources): Promise<OpenedDatabase> {
  const database = parseDatabaseUrl(config.server.databaseUrl, config.directory);
  const found = findServerKeys(config, database);
  const store = openStore(database, config);
  resources.add(() => store.close());
  const applied = await store.migrate();
  // Once after an upgrade: it reads every user. `tokenpair migrate` does it at any time.
  if (applied.length > 0) await updateUsernameKeys({ store, settings: config.settings });
  const { missing: key } = found;
  if (key === null) return { store, database: database.label, keys: found, createdKey: null };
  await requireNoRing(store);
  if (key === "secret") await requireNoSession(store);
  const created = createDefaultKey(database, key);
  const keys = key === "signing key" ? { ...found, signing: created } : { ...found, secret: created };
  return { store, database: database.label, keys, createdKey: { key, file: created.file } };
}

/**
 * Throws if the database has a key ring. A key that is created next to a key ring would cause conflicts once the ring can
 * be decrypted again.
 *
 * @throws ConfigError that names the missing key encryption key.
 */
async function requireNoRing({ keys }: Store): Promise<void> {
  const sealed = (await keys.read()).keys.find(isSealed);
  if (sealed === undefined) return;
  throw new ConfigError(
    `keyEncryptionKey: is missing: the key "${sealed.kekId}" sealed the key "${sealed.kid}" in the database. Set it.`,
  );
}

/**
 * Throws if the database has sessions. Their secret was somewhere else, and a new secret would make all of them invalid.
 *
 * @throws ConfigError that says how to set the former secret.
 */
async function requireNoSession(store: Store): Promise<void> {
  const { sessions } = await store.sessions.list({ limit: 1 });
  if (sessions.length === 0) return;
  throw new ConfigError(
    "secret: is missing: the sessions in the database were made with another one; set it to the former signing key " +
      "(TOKENPAIR_SECRET), and no user has to log in again. If it is lost, run: tokenpair sessions revoke --all",
  );
}

async function recordCreatedKey(store: Store, { auditRetention }: Config["settings"], log: ServerLog): Promise<void> {
  const event: AuthEvent = { type: "key_changed", time: systemClock.now(), change: "generated" };
  log.event(event);
  if (auditRetention > 0) await store.audit.append([toAuditRow(event)]);
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
