import { readFileSync } from "node:fs";
import type { AnyAuth } from "../auth.ts";
import { isRole, type Role } from "../core/role.ts";
import { toCookieNames } from "../core/settings/cookie-names.ts";
import { findSettingFault } from "../core/settings/faults.ts";
import { settingRules } from "../core/settings/rules.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { AuthUser } from "../core/user.ts";
import { mayHaveTokens } from "../flows/users/user-source.ts";
import { isDevelopmentRequest, toDevelopmentSettings } from "../http/cookies/development-cookies.ts";
import type { ConnectionInfo } from "../http/request/client-ip.ts";
import { toPathname } from "../http/request/pathname.ts";
import { toJsonResponse, withStandardHeaders } from "../http/response/json.ts";
import { createErrorReporter, createHttpHandler } from "../http/router.ts";
import { getInternals } from "../internals.ts";
import { createAuditFollower } from "./audit/audit-follower.ts";
import { type ConsoleFiles, readConsoleFiles } from "./console-files.ts";
import { createNames } from "./names.ts";
import { startNodeReporter, type TimedRequest } from "./nodes/node-reporter.ts";
import { createRequestCounts } from "./nodes/request-counts.ts";
import { createStaffEndpoints } from "./routes/index.ts";
import type { ServerParts } from "./server-parts.ts";

/** The options of `createConsole`. */
export interface ConsoleOptions {
  /** The path of the console's pages. Default: "/console". */
  readonly path?: string;
  /** The path of the staff API. Default: "/api/admin". */
  readonly adminPath?: string;
  /**
   * Returns the role that a user has now, or `null`. It is called at every request of the staff, so that a lost role counts at once.
   * Required with `findUser`. Default: the role in tokenpair's own user table.
   */
  readonly roleOf?: (userId: string) => Promise<Role | null> | Role | null;
}

/** The console and its staff API. */
export interface Console {
  /** Answers a request to one of its paths. Never rejects. */
  fetch(request: Request, connection?: ConnectionInfo): Promise<Response>;
  /** Notes how long a request took, in milliseconds, for the list of nodes. */
  time(request: TimedRequest, milliseconds: number): void;
  /**
   * Ends the streams of the audit log, which would keep an HTTP server from closing. Their browsers continue at another node. Call it
   * with `auth.drain()`.
   */
  drain(): void;
  /** Ends the streams, and stops this node's reports. Call it before `auth.close()`. */
  close(): Promise<void>;
  /** Returns whether a request, or a path, belongs to the console or to its API. */
  handles(request: { readonly url?: string | undefined } | string): boolean;
}

/**
 * Creates the console, for the staff of an application.
 *
 * @throws TypeError if `auth` has `findUser` and `roleOf` is missing.
 * @example
 * const staff = createConsole(auth);
 * const response = staff.handles(new URL(request.url).pathname) ? await staff.fetch(request) : await auth.fetch(request);
 */
export function createConsole(auth: Pick<AnyAuth, "on" | "stats">, options: ConsoleOptions = {}): Console {
  return createConsoleWith(auth, options);
}

/**
 * Creates the console like `createConsole`.
 *
 * @param server what only `tokenpair serve` knows.
 */
export function createConsoleWith(
  auth: Pick<AnyAuth, "on" | "stats">,
  { path = "/console", adminPath = "/api/admin", roleOf }: ConsoleOptions,
  server?: ServerParts,
): Console {
  requirePaths({ path, adminPath });
  const { deps, httpDeps, signals, developmentCookies, lagListeners, onError } = getInternals(auth);
  if (deps.settings.findUser !== undefined && roleOf === undefined) {
    throw new TypeError("createConsole: with findUser, your application has the roles. Pass roleOf: (userId) => …");
  }
  const findOwnMember = async (userId: string) => {
    const user = await deps.store.users.findById(userId);
    return user?.isActive && user.role !== null ? { username: user.username, role: user.role } : null;
  };
  const findRole = async (userId: string) => {
    const role = await roleOf?.(userId);
    // The application's function may also return `undefined`, or a role that only the application has.
    return typeof role === "string" && isRole(role) ? role : null;
  };
  const findMember = async (userId: string) => {
    const [user, role] = [await httpDeps.flows.findCurrentUser(userId), await findRole(userId)];
    // The application may have deactivated the user without revoking anything.
    return user === null || role === null || !mayHaveTokens(deps.settings, user)
      ? null
      : { username: user.username, role };
  };
  const reportError = createErrorReporter(onError);
  const follower = createAuditFollower(deps.store.audit);
  const endpoints = createStaffEndpoints(
    {
      deps,
      flows: httpDeps.flows,
      adminPath,
      findMember: roleOf === undefined ? findOwnMember : findMember,
      findRole,
      hasOwnRoles: roleOf === undefined,
      countRequest: createRequestCounts(),
      findNames: createNames(deps, reportError),
      onError: reportError,
      signal: (authentication, gone) => signals.signal(authentication, { until: "session", signal: gone }),
    },
    follower,
    server,
  );
  const reporter = startNodeReporter(auth, deps, { version: readVersion(), lagListeners });
  const api = createHttpHandler(httpDeps, {
    endpoints,
    schemaPath: `${adminPath}/schema`,
    developmentCookies,
    ...(onError === undefined ? {} : { onError }),
  });
  let files: ConsoleFiles | undefined;
  return Object.freeze<Console>({
    // The files are read at the first request for a page, because an application may only use the API.
    async fetch(request, connection = {}) {
      const { pathname } = new URL(request.url);
      if (isBelow(pathname, adminPath)) return api.fetch(request, connection);
      // A path with dot segments can begin like one of the console's and lead elsewhere.
      if (!isBelow(pathname, path))
        return withStandardHeaders(toJsonResponse(404, { detail: "Not found.", code: "not_found" }));
      const isDevelopment = developmentCookies && isDevelopmentRequest(request, connection.ip);
      const settings = isDevelopment ? toDevelopmentSettings(deps.settings) : deps.settings;
      files ??= readConsoleFiles(path);
      return files.respond(request, toAttributes(settings, { path, adminPath }));
    },
    time: reporter.time,
    drain: follower.drain,
    async close() {
      await follower.stop();
      await reporter.stop();
    },
    handles(request) {
      const pathname = toPathname(typeof request === "string" ? request : (request.url ?? "/"));
      return isBelow(pathname, adminPath) || isBelow(pathname, path);
    },
  });
}

/** Returns what the console's document tells its scripts: paths and names, as this browser sees them. */
function toAttributes(
  settings: Settings<AuthUser>,
  { path, adminPath }: Readonly<Record<"path" | "adminPath", string>>,
): Readonly<Record<string, string>> {
  const { publicPath = "", authPath, csrfHeaderName } = settings;
  return {
    basePath: `${publicPath}${path}`,
    adminPath: `${publicPath}${adminPath}`,
    authPath: `${publicPath}${authPath}`,
    csrfCookie: toCookieNames(settings).csrf,
    csrfHeaderName,
  };
}

function readVersion(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

const isBelow = (pathname: string, path: string) => pathname === path || pathname.startsWith(`${path}/`);

/** @throws TypeError if a path has a wrong form, or if one lies below the other. */
function requirePaths(paths: Readonly<Record<"path" | "adminPath", string>>): void {
  for (const [name, path] of Object.entries(paths)) {
    const fault = findSettingFault(settingRules.authPath, path);
    if (fault !== null) throw new TypeError(`createConsole: ${name} ${fault}`);
  }
  const { path, adminPath } = paths;
  if (isBelow(path, adminPath) || isBelow(adminPath, path)) {
    throw new TypeError("createConsole: path and adminPath must not lie below each other");
  }
}
