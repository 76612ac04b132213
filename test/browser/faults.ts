import type { Device } from "./device.ts";

/** The paths that answer 4xx in ordinary use: a visitor without a session, a wrong or a weak password. */
const refusals = /\/api\/auth\/(?:refresh|login|me|password|sessions)\/(?:\?|$)/;

/** Returns whether a message reports a response that is no fault: one of these, or a 401 to a token that expired on its way. */
function isRefusal(text: string, url: string): boolean {
  if (!text.startsWith("Failed to load resource")) return false;
  return refusals.test(url) || (url.includes("/api/auth/") && /\b401\b/.test(text));
}

/**
 * Collects, from now on, the errors and warnings of the developer console: of scripts and of the security policy. Collects
 * nothing if the browser's driver doesn't report them.
 */
export function watchFaults(device: Device): readonly string[] {
  const faults: string[] = [];
  device.on?.("weberror", (error) => faults.push(String(error.error())));
  device.on?.("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    if (!isRefusal(message.text(), message.location().url)) faults.push(message.text());
  });
  return faults;
}
