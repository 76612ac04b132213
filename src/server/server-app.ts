import type { AnyAuth, Auth } from "../auth.ts";
import type { Health } from "../auth-results.ts";
import { systemClock } from "../core/runtime/clock.ts";
import { createClientIpFinder } from "../http/request/client-ip.ts";
import type { Console } from "../staff/index.ts";
import type { Config } from "./config/config.ts";
import { timeForStaff } from "./console.ts";
import { createApp, type Handler } from "./handlers/app.ts";
import { createHealth } from "./handlers/health.ts";
import type { ServerLog } from "./observe/log.ts";
import { createLostCookieWarning } from "./observe/lost-cookies.ts";
import type { Metrics } from "./observe/metrics.ts";

/** The parts that the apps of a server share. */
export interface ServerAppParts {
  readonly auth: Pick<AnyAuth, "fetch">;
  readonly log: ServerLog;
  readonly metrics: Pick<Metrics, "request"> | null;
  /** The console, or `null` if it is off. */
  readonly staff: Pick<Console, "time"> | null;
  /** The demonstration, or `null` if it is off. */
  readonly demonstration: Handler | null;
  /** Returns the health that `GET /readyz` answers. */
  readonly health: () => Promise<Health>;
  readonly onError: (error: unknown) => void;
}

/** Returns a function that creates the app of one listener: the given handlers, and tokenpair's endpoints for all other paths. */
export function toServerApps(
  { server, settings }: Config,
  { auth, log, metrics, staff, demonstration, health, onError }: ServerAppParts,
): (handlers: readonly Handler[]) => Auth["fetch"] {
  const warnOfLostCookies = createLostCookieWarning(settings, log.lostCookies);
  return (handlers) =>
    createApp({
      handlers: [createHealth({ health }), ...(demonstration === null ? [] : [demonstration]), ...handlers],
      fallback: {
        fetch(request, connection) {
          warnOfLostCookies(request);
          return auth.fetch(request, connection);
        },
      },
      clock: systemClock,
      strictTransportSecurity: server.strictTransportSecurity,
      findClientIp: createClientIpFinder(settings),
      onAnswered(record) {
        log.request(record);
        metrics?.request(record);
        if (staff !== null && record.method === "POST") timeForStaff(staff, record, settings);
      },
      onError,
    });
}
