import type { Device } from "./device.ts";

/** The paths that answer 4xx in ordinary use: a visitor without a session, a wrong or a weak password. */
const refusals = /\/api\/auth\/(?:refresh|login|me|password|sessions)\/(?:\?|$)/;

/**
 * Collects, from now on, the errors and warnings of the developer console: of scripts and of the security policy. Collects
 * nothing if the browser's driver doesn't report them.
 */
export function watchFaults(device: Device): readonly string[] {
  const faults: string[] = [];
  device.on?.("weberror", (error) => faults.push(String(error.error())));
  device.on?.("console", (message) => {
    const isRefusal = message.text().startsWith("Failed to load resource") && refusals.test(message.location().url);
    if (["error", "warning"].includes(message.type()) && !isRefusal) faults.push(message.text());
  });
  return faults;
}
