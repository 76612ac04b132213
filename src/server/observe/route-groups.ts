import type { Settings } from "../../core/settings/settings.ts";

const tokenRoutes = new Set(["", "continue", "refresh", "verify", "blacklist", "introspect", "revoke"]);
const authRoutes = new Set([
  "csrf",
  "login",
  "refresh",
  "logout",
  "me",
  "session",
  "activity",
  "sessions",
  "password",
  "confirm",
  "check",
  "revocations",
]);

/** Returns the group of a path. There are only a few groups, because each name adds a time series. */
export function toRouteGroup(path: string, { tokenPath, authPath }: Pick<Settings, "tokenPath" | "authPath">): string {
  const underToken = toFirstSegment(path, tokenPath);
  if (underToken !== null && tokenRoutes.has(underToken)) return underToken === "" ? "token" : `token/${underToken}`;
  const underAuth = toFirstSegment(path, authPath);
  if (underAuth !== null && authRoutes.has(underAuth)) return `auth/${underAuth}`;
  if (path.startsWith("/.well-known/")) return "well-known";
  return /^\/(?:healthz|readyz)\/?$/.test(path) ? "health" : "other";
}

function toFirstSegment(path: string, prefix: string): string | null {
  if (path !== prefix && !path.startsWith(`${prefix}/`)) return null;
  return path.slice(prefix.length + 1).split("/", 1)[0] ?? "";
}
