/** Paths that only answer POST. */
export const postPaths = ["/api/token", "/api/token/refresh", "/api/token/verify", "/api/token/blacklist"];

/** Paths that only answer POST, with the credential of a service. */
export const servicePaths = ["/api/token/introspect", "/api/token/revoke"];

/** Paths that only answer GET. */
export const getPaths = [
  "/api/auth/me",
  "/api/auth/activity",
  "/api/auth/session/events",
  "/.well-known/jwks.json",
  "/api/schema",
];

/** Each path without a trailing slash and with one. */
export const bothForms = (paths: readonly string[]) => paths.flatMap((path) => [path, `${path}/`]);
