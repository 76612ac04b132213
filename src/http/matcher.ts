import { METHOD_NAME_ALL } from "hono/router";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { SmartRouter } from "hono/router/smart-router";
import { TrieRouter } from "hono/router/trie-router";
import type { Settings } from "../core/settings/settings.ts";
import type { AuthUser } from "../core/user.ts";
import type { CorsPolicy, Endpoint } from "./endpoint.ts";

/** The endpoints of one path. */
interface Resource {
  /** The endpoints by method. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  /** The endpoint that answers every method, and every path below. */
  readonly catchAll: Endpoint | undefined;
  /** The value of an `Allow` header. */
  readonly allow: string;
  /** The CORS policy of the endpoints. */
  readonly cors: CorsPolicy | undefined;
}

/** The result of a match: the endpoints of a path. */
export interface Match {
  readonly resource: Resource;
  /** The decoded segments that match `{name}` in the path. */
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Creates a function that finds the endpoints of a pathname, with or without its trailing slash. It returns `null` for
 * an unknown path. A path below that of an endpoint with `isCatchAll` is known.
 *
 * @throws TypeError if two endpoints have the same method and path, or the same path and different `cors` policies.
 */
export function createMatcher(
  endpoints: readonly Endpoint[],
  settings: Settings<AuthUser>,
): (pathname: string) => Match | null {
  // The first one can't tell a name from an id in the same place; the second one can, and is slower.
  const router = new SmartRouter<Resource>({ routers: [new RegExpRouter(), new TrieRouter()] });
  const resources = toResources(endpoints, settings);
  const aliases = toAliases(endpoints, settings, resources);
  const catchAlls = [...resources].filter(([, { catchAll }]) => catchAll !== undefined);
  for (const [path, resource] of resources) {
    const pattern = path.replaceAll(/\{(\w+)\}/g, ":$1");
    router.add(METHOD_NAME_ALL, pattern, resource);
    router.add(METHOD_NAME_ALL, `${pattern}/`, resource);
  }
  return (pathname) => {
    const [[matched], segments] = router.match(METHOD_NAME_ALL, pathname);
    if (matched === undefined) return aliases.get(pathname.replace(/\/$/, "")) ?? findAbove(pathname);
    const [resource, names] = matched;
    const params = decodeAll(
      Object.entries(names).map(([name, at]) => [
        name,
        // One router returns the positions of the segments, the other one returns the segments.
        (segments === undefined ? String(at) : segments[Number(at)]) ?? "",
      ]),
    );
    return params && { resource, params };
  };

  function findAbove(pathname: string): Match | null {
    const [, resource] = catchAlls.find(([path]) => pathname.startsWith(`${path}/`)) ?? [];
    return resource === undefined ? null : { resource, params: {} };
  }
}

function toResources(endpoints: readonly Endpoint[], settings: Settings<AuthUser>): ReadonlyMap<string, Resource> {
  const byPath = new Map<string, Resource>();
  for (const endpoint of endpoints) {
    const path = endpoint.path(settings);
    const { method, cors } = endpoint;
    const atPath = new Map(byPath.get(path)?.endpoints);
    if (atPath.has(method)) throw new TypeError(`two endpoints answer ${method} ${path}`);
    if ([...atPath.values()].some((other) => other.cors !== cors)) {
      throw new TypeError(`the endpoints of ${path} have different cors`);
    }
    atPath.set(method, endpoint);
    const catchAll = endpoint.isCatchAll ? endpoint : byPath.get(path)?.catchAll;
    byPath.set(path, { endpoints: atPath, catchAll, allow: toAllow([...atPath.keys()]), cors });
  }
  return byPath;
}

/** Returns the matches for the additional paths of endpoints. */
function toAliases(
  endpoints: readonly Endpoint[],
  settings: Settings<AuthUser>,
  resources: ReadonlyMap<string, Resource>,
): ReadonlyMap<string, Match> {
  const aliases = new Map<string, Match>();
  for (const endpoint of endpoints) {
    const alias = endpoint.alias?.(settings);
    const resource = resources.get(endpoint.path(settings));
    if (alias !== undefined && resource !== undefined) aliases.set(alias, { resource, params: {} });
  }
  return aliases;
}

/** Returns the value of an `Allow` header. A path that answers GET also answers HEAD (RFC 9110 §9.3.2). */
function toAllow(methods: readonly string[]): string {
  return [...methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])), "OPTIONS"].join(", ");
}

/**
 * Returns the decoded segments by name. Returns `null` if a segment is not percent-encoded UTF-8. In that case, the answer
 * is a 404.
 */
function decodeAll(segments: readonly (readonly [string, string])[]): Readonly<Record<string, string>> | null {
  try {
    return Object.fromEntries(segments.map(([name, segment]) => [name, decodeURIComponent(segment)]));
  } catch {
    return null;
  }
}
