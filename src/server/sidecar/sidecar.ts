import { open, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../core/runtime/clock.ts";
import { systemRandom } from "../../core/runtime/random.ts";
import { unrefSchedule } from "../../core/runtime/schedule.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { AuthUser } from "../../core/user.ts";
import { createServiceCredential } from "../../crypto/service-credential.ts";
import { createClientIpFinder } from "../../http/request/client-ip.ts";
import { createVerifier } from "../../verifier/create-verifier.ts";
import type { RelayOptions, VerifierOptions } from "../../verifier/options.ts";
import type { Verifier } from "../../verifier/verifier.ts";
import { verifierSettingNames } from "../../verifier/verifier-config.ts";
import type { Config } from "../config/config.ts";
import { ConfigError, withConfigErrors } from "../config/config-error.ts";
import { createApp } from "../handlers/app.ts";
import { createHealth, stopping } from "../handlers/health.ts";
import { listen } from "../listen/listen.ts";
import type { ServerLog } from "../observe/log.ts";
import type { LineWriter } from "../observe/log-output.ts";
import { openLog } from "../observe/open-log.ts";
import { openWithResources, type Resources } from "../resources.ts";
import { type FrameFile, startFrameFile } from "./frame-file.ts";
import { createCheck, createRelayHandler, notFound, toSidecarHealth } from "./handlers.ts";
import { toFileNotice, toNotice } from "./sentences.ts";
import { createSidecarMetrics, type SidecarMetrics } from "./sidecar-metrics.ts";

/** The options of `startSidecar`. */
export interface SidecarOptions {
  /** Where the issuer is reached, if not at its `issuer`. */
  readonly url: string | undefined;
  /** The credential with the scope `feed`. */
  readonly credential: string;
  /** The credentials of those who read the feed from here; none: it isn't served. */
  readonly relayCredentials: readonly string[];
  /** The longest `maxStaleness` of a reader, in seconds. Default: a quarter more than the sidecar's own. */
  readonly longestLease: number | undefined;
  /** The file that is kept up to date; `null`: none. */
  readonly file: string | null;
  readonly listen: Address;
  /** Where `GET /metrics` is served; `null`: nowhere. */
  readonly metrics: Address | null;
  /** The stream to which the lines of the log are written. */
  readonly logTo: LineWriter;
  /** Called once, with the error of the first line of the log that could not be written. */
  readonly onLogLost: (error: Error) => void;
}

/** An address to listen on. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A running sidecar. */
export interface RunningSidecar {
  /** Its URL, for example "http://127.0.0.1:9000". */
  readonly url: string;
  /** The URL of the metrics, or `null`. */
  readonly metricsUrl: string | null;
  readonly log: ServerLog;
  /** The setting `shutdownDelay`. */
  readonly shutdownDelay: number;
  /** Makes `/readyz` answer 503, and waits for `shutdownDelay`. Then stops accepting requests, answers running ones, and ends the streams, within 10 seconds. */
  close(): Promise<void>;
}

/** How long closing waits for running requests, and before it ends the streams, in milliseconds. */
const closeTimeout = 8_000;
const drainTime = 300;
const metricsCloseTimeout = 500;

/** The least leeway of a verifier, in seconds: its clock isn't the issuer's. */
const leastLeeway = 30;

/**
 * Starts a sidecar: a process without a database that checks tokens for proxies, serves the revocation feed onward, and keeps it in
 * a file. It starts even if the issuer can't be reached, and answers 503 until it can.
 *
 * @throws ConfigError or SettingError if an option is missing or wrong.
 */
export function startSidecar(config: Config, options: SidecarOptions): Promise<RunningSidecar> {
  return openWithResources((resources) => start(config, options, resources));
}

async function start(config: Config, options: SidecarOptions, resources: Resources): Promise<RunningSidecar> {
  const { server, settings } = config;
  const { log, lostLines } = openLog(config, options);
  const own = createServiceCredential(systemRandom).credential;
  if (options.file !== null) await requireWritable(options.file);
  let metrics: SidecarMetrics | null = null;
  const verifier = withConfigErrors(() =>
    createVerifier({
      ...toVerifierOptions(settings, options),
      ...toRelay(settings, options, own),
      onEvent(event) {
        log.notice(...toNotice(event));
        metrics?.event(event);
      },
    }),
  );
  resources.add(() => verifier.close());
  const file = options.file === null ? null : keepFile(verifier, options.file, { settings, log, credential: own });
  resources.add(() => file?.stop());
  if (options.metrics !== null) {
    metrics = createSidecarMetrics({
      settings,
      file,
      status: verifier.status,
      wall: systemClock.wall,
      lostLogLines: lostLines,
    });
  }
  let isStopping = false;
  const app = createApp({
    handlers: [
      createHealth({ health: async () => (isStopping ? stopping : toSidecarHealth(verifier, file)) }),
      createCheck(settings, verifier),
      ...(options.relayCredentials.length === 0 ? [] : [createRelayHandler(settings, verifier)]),
    ],
    fallback: notFound,
    clock: systemClock,
    strictTransportSecurity: 0,
    findClientIp: createClientIpFinder(settings),
    onAnswered(record) {
      log.request(record);
      metrics?.request(record);
    },
    onError: (error) => log.error(error, "a request failed"),
  });
  const limits = { limits: server, onMalformed: log.malformed };
  const metricsListener =
    metrics === null ? null : await listen({ fetch: metrics.fetch, ...(options.metrics as Address), ...limits });
  resources.add(() => metricsListener?.close(metricsCloseTimeout));
  const listener = await listen({ fetch: app, ...options.listen, ...limits });
  resources.add(async () => {
    const closed = listener.close(closeTimeout);
    // Requests that are already on their way are answered. Then the streams end, which would keep the listener open.
    await sleep(drainTime);
    verifier.close();
    await closed;
  });
  const { shutdownDelay } = server;
  resources.add(async () => {
    isStopping = true;
    listener.retire();
    await sleep(shutdownDelay * 1_000);
  });
  const metricsUrl = metricsListener === null ? null : `${metricsListener.url}/metrics`;
  return Object.freeze({ url: listener.url, metricsUrl, log, shutdownDelay, close: resources.close });
}

/** Returns the options without `onStale`: a sidecar that can't know answers 503. */
function toVerifierOptions(settings: Settings<AuthUser>, { url, credential }: SidecarOptions): VerifierOptions {
  const { issuer = "", audience = "", maxStaleness, leeway, verifyCacheSize } = settings;
  return {
    issuer,
    audience,
    credential,
    maxStaleness,
    settings: Object.fromEntries(verifierSettingNames.map((name) => [name, settings[name]])),
    ...(url === undefined ? {} : { url }),
    leeway: Math.max(leeway, leastLeeway),
    cacheSize: verifyCacheSize,
  };
}

/** Returns the option `relay`. The file is a reader of the relay, so it needs one even if no other process may read. */
function toRelay(
  { maxStaleness }: Settings<AuthUser>,
  { relayCredentials, longestLease, file }: SidecarOptions,
  own: string,
): { readonly relay?: RelayOptions } {
  if (relayCredentials.length === 0 && file === null) return {};
  const ofReaders = longestLease ?? maxStaleness * (relayCredentials.length === 0 ? 1 : 1.25);
  return {
    relay: {
      credentials: file === null ? relayCredentials : [...relayCredentials, own],
      longestLease: file === null ? ofReaders : Math.max(ofReaders, maxStaleness),
    },
  };
}

function keepFile(
  { feed }: Pick<Verifier, "feed">,
  path: string,
  parts: { readonly settings: Settings<AuthUser>; readonly log: ServerLog; readonly credential: string },
): FrameFile {
  const { settings, log, credential } = parts;
  return startFrameFile({
    path,
    feed,
    credential,
    feedPath: `${settings.authPath}/revocations`,
    reader: "file",
    lease: Math.ceil(settings.maxStaleness * 1000),
    clock: systemClock,
    schedule: unrefSchedule,
    onFailure: (failure) => log.notice(...toFileNotice(path, failure)),
  });
}

/** Throws a ConfigError if no file can be written there. */
async function requireWritable(path: string): Promise<void> {
  const probe = `${path}.new`;
  try {
    await rm(probe, { force: true });
    // Never through a link that another user has put there.
    await (await open(probe, "wx", 0o600)).close();
    await rm(probe);
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    throw new ConfigError(
      `the file ${path} can't be written (${code ?? name}); create its folder, or choose another file`,
    );
  }
}
