import type { Device } from "./device.ts";

/** The paths that answer 4xx in ordinary use: a visitor without a session, a wrong or a weak password. */
const refusals = /\/api\/auth\/(?:refresh|login|me|password|sessions)\/(?:\?|$)/;

/** The other paths that a page sends its access token to. The token may expire on the way. */
const authenticated = /\/api\/auth\/(?:activity|session\/events|sessions\/[^/]+)\/(?:\?|$)/;

/** Returns whether a message reports a response that isn't a fault. */
function isRefusal(text: string, url: string): boolean {
  if (!text.startsWith("Failed to load resource")) return false;
  return refusals.test(url) || (authenticated.test(url) && /\b401\b/.test(text));
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
