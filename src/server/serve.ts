import type { DestinationStream } from "pino";
import type { Auth } from "../auth.ts";
import { systemClock } from "../core/runtime/clock.ts";
import type { Store } from "../core/store/index.ts";
import { createAuth } from "../create-auth.ts";
import { toAuditRow } from "../events/audit-row.ts";
import type { AuthEvent } from "../events/events.ts";
import { createClientIpFinder } from "../http/request/client-ip.ts";
import { startCleanup } from "./cleanup.ts";
import type { Config } from "./config/config.ts";
import { openStore, parseDatabaseUrl } from "./config/database.ts";
import type { ServerSettings } from "./config/server-settings.ts";
import { findSigningKey, makeSigningKey, type ServerKey } from "./config/signing-key.ts";
import { type Demo, ensureDemoUser } from "./demo.ts";
import { listen } from "./listen/listen.ts";
import { createLog, type ServerLog } from "./observe/log.ts";
import { createMetrics, type Metrics } from "./observe/metrics.ts";
import { createApp } from "./parts/app.ts";
import { createHealth } from "./parts/health.ts";
import { createPage } from "./parts/page.ts";
import { createResources, type Resources } from "./resources.ts";

export interface ServeOptions {
  /** Where the lines of the log go. */
  readonly logTo: DestinationStream;
  /** Whether to create the user `demo` where there are no users. */
  readonly demo?: boolean;
}

/** A running server. */
export interface RunningServer {
  /** Such as "http://127.0.0.1:8000". */
  readonly url: string;
  /** Such as "http://127.0.0.1:9464/metrics"; `null` without `metricsPort`. */
  readonly metricsUrl: string | null;
  /** The database, for people. */
  readonly database: string;
  /** Where a signing key was made at this start: its file, or `null` for one that ends with the process. */
  readonly madeKey: Pick<ServerKey, "file"> | null;
  /** The user that was created for trying things out, with the password that is shown only this once. */
  readonly demo: Demo | null;
  readonly log: ServerLog;
  /** Stops accepting, answers what is in flight, closes feed and store; within 10 seconds. Idempotent. */
  close(): Promise<void>;
}

/** Milliseconds for running requests at the end: what is left of the 10 seconds is for closing the store. */
const patience = 8_000;

/** The same for the metrics. */
const patienceForMetrics = 500;

/**
 * Migrates the database, loads the revocations and serves. Where it fails, everything that was opened is closed.
 *
 * @throws ConfigError, SchemaVersionError, StoreUnavailableError; TypeError where the signing key is too short.
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
  const page = server.page ? [createPage(settings)] : [];
  const log = createLog({ level: server.logLevel, destination: options.logTo });
  const onError = (error: unknown) => log.error(error, "a request failed");
  const { store, database, key, madeKey } = await openDatabase(config, resources);
  const sources = {
    revocations: () => auth.stats().revocations,
    passwords: () => auth.stats().passwords,
    connections: store.connections,
  };
  const metrics = server.metricsPort === undefined ? null : createMetrics({ settings, sources });
  const onLag = metrics === null ? {} : { onLag: metrics.lag };
  const auth = createAuth({ ...settings, store, signingKey: key.secret, onError, ...onLag }) as unknown as Auth;
  resources.add(() => auth.close());
  auth.on((event) => {
    log.event(event);
    metrics?.event(event);
  });
  await auth.ready();
  if (madeKey !== null) await reportMadeKey(store, settings, log);
  const app = createApp({
    parts: [createHealth(auth), ...page],
    rest: auth,
    clock: systemClock,
    strictTransportSecurity: server.strictTransportSecurity,
    findClientIp: createClientIpFinder(settings),
    onAnswered: (record) => {
      log.request(record);
      metrics?.request(record);
    },
    onError,
  });
  if (server.cleanupInterval > 0) addCleanup(store, config, { log, metrics }, resources);
  const demo =
    options.demo && settings.findUser === undefined ? await ensureDemoUser(auth.users, store, settings) : null;

  const metricsUrl = metrics && (await listenForMetrics(metrics, server, log, resources));
  const { host, port } = server;
  const listener = await listen({ fetch: app, host, port, onMalformed: log.malformed, limits: server });
  resources.add(() => listener.close(patience));
  return Object.freeze({ url: listener.url, metricsUrl, database, madeKey, demo, log, close: resources.close });
}

async function reportMadeKey(store: Store, { auditRetention }: Config["settings"], log: ServerLog): Promise<void> {
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
  resources.add(() => listener.close(patienceForMetrics));
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

interface OpenedDatabase extends Pick<RunningServer, "database" | "madeKey"> {
  readonly store: Store;
  readonly key: ServerKey;
}

async function openDatabase(config: Config, resources: Resources): Promise<OpenedDatabase> {
  const database = parseDatabaseUrl(config.server.databaseUrl, config.directory);
  const found = findSigningKey(config, database);
  const store = openStore(database, config);
  resources.add(() => store.close());
  await store.migrate();
  const key = found ?? makeSigningKey(database);
  return { store, database: database.label, key, madeKey: found === null ? key : null };
}
