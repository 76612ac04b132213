import { type Check, warn } from "../../staff/health/check.ts";
import { type Risk, toRiskChecks, toSettingRisks } from "../../staff/health/setting-checks.ts";
import type { Config } from "../config/config.ts";

/** Checks for settings that are valid but make the server less safe. Each warning says what the risk is. */
export function checkSettings({ settings, server }: Config): readonly Check[] {
  const risks: readonly Risk[] = [
    ...toSettingRisks(settings),
    ["host", !isLoopback(server.host), "Reachable from the network over plain http. Put a TLS proxy in front."],
    [
      "maxFeedStreams",
      settings.maxFeedStreams >= server.maxConnections,
      "Not below maxConnections: streams of the revocation feed could take every connection.",
    ],
    [
      "metricsHost",
      server.metricsPort !== undefined && !isLoopback(server.metricsHost),
      "The metrics are reachable from the network. Use 127.0.0.1, or restrict access.",
    ],
  ];
  return toRiskChecks(risks, settings);
}

/** Warns about development cookies, which the library uses if `NODE_ENV` is "development". */
export function checkEnvironment({ NODE_ENV }: Readonly<Record<string, string | undefined>>): readonly Check[] {
  if (NODE_ENV !== "development") return [];
  return [
    warn(
      "NODE_ENV",
      "development: browsers on the same machine get cookies without Secure. Set production on a server.",
    ),
  ];
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
