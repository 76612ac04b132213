import { hostname } from "node:os";
import type { AnyAuth } from "../auth.ts";
import type { AuthOptions } from "../auth-options.ts";
import type { Store } from "../core/store/index.ts";
import type { AuthUser } from "../core/user.ts";
import { createAuthWith } from "../create-auth.ts";
import { getInternals } from "../internals.ts";
import type { Config } from "./config/config.ts";
import { withAsyncConfigErrors, withConfigErrors } from "./config/config-error.ts";
import { toLegacyWarnings } from "./config/legacy-warnings.ts";
import { type CreatedKey, openDatabase, toAuthOptions } from "./config/open-database.ts";
import { createMetrics, type Metrics } from "./observe/metrics.ts";
import type { OpenLog } from "./observe/open-log.ts";
import type { Resources } from "./resources.ts";

/** The options of `openAuth`. */
export interface OpenAuthOptions extends OpenLog {
  /** Whether browsers on this machine get development cookies. */
  readonly developmentCookies: boolean;
  /** The number of the worker that this process is. `undefined` without workers. */
  readonly worker: number | undefined;
  /** Called with every error that the client only sees as a 500 or 503. */
  readonly onError: (error: unknown) => void;
  /** The store and the `Auth` are added to them. */
  readonly resources: Resources;
}

/** A ready `Auth`, with its database, log and metrics. */
export interface OpenedAuth {
  readonly auth: AnyAuth;
  /** The options with which `auth` was created. */
  readonly options: AuthOptions<AuthUser>;
  readonly store: Store;
  /** A text for people that describes the database. It contains no password. */
  readonly database: string;
  /** The signing key or secret that was created now. `null` if it already existed. */
  readonly createdKey: CreatedKey | null;
  /** What the operator should know about unsafe settings, as full sentences. */
  readonly warnings: readonly string[];
  /** `null` without `metricsPort`. */
  readonly metrics: Metrics | null;
}

/** Migrates the database, and loads the keys and the revocations. From then on, events are logged and counted. */
export async function openAuth(config: Config, options: OpenAuthOptions): Promise<OpenedAuth> {
  const { server, settings } = config;
  const { log, lostLines, developmentCookies, worker, onError, resources } = options;
  const { store, database, keys, createdKey, event } = await openDatabase(config);
  resources.add(() => store.close());
  const warnings: string[] = [];
  const nodeName = toNodeName(settings, worker);
  const authOptions = { ...toAuthOptions(config, { store, keys }), nodeName, onError };
  const auth = withConfigErrors(() =>
    createAuthWith(authOptions, { developmentCookies, warn: (warning) => warnings.push(warning) }),
  );
  resources.add(() => auth.close());
  const metrics =
    server.metricsPort === undefined
      ? null
      : createMetrics({ settings, stats: auth.stats, lostLogLines: lostLines, worker });
  if (metrics !== null) getInternals(auth).lagListeners.add(metrics.lag);
  auth.on((event) => {
    log.event(event);
    metrics?.event(event);
    if (event.type === "legacy_key") warnings.push(...toLegacyWarnings(event));
  });
  await withAsyncConfigErrors(auth.ready());
  if (event !== null) log.event(event);
  return { auth, options: authOptions, store, database, createdKey, warnings, metrics };
}

/** Returns the name of this node. It names the worker, because each worker is a separate node. */
function toNodeName({ nodeName = hostname() }: Config["settings"], worker: number | undefined): string {
  return worker === undefined ? nodeName : `${nodeName} worker ${worker}`;
}
