import type { BrowserContext } from "playwright-core";

/** Refusals that belong to the ordinary workflow: a visitor without a session, a wrong or refused password. */
const refusals = /\/api\/auth\/(?:refresh|login|me|password|sessions)\/$/;

/** From now on collects what a developer's console would show in red: errors of scripts, violations of the policy. */
export function watchFaults(device: BrowserContext): readonly string[] {
  const faults: string[] = [];
  device.on("weberror", (error) => faults.push(String(error.error())));
  device.on("console", (message) => {
    const isRefusal = message.text().startsWith("Failed to load resource") && refusals.test(message.location().url);
    if (["error", "warning"].includes(message.type()) && !isRefusal) faults.push(message.text());
  });
  return faults;
}
