/** Paths of an application: each with everything below it, or a function that returns whether a path is one of them. */
export type Paths = readonly string[] | ((pathname: string) => boolean);

/** The part of `NextRequest` that says how the application is mounted. */
interface MountedRequest extends Request {
  readonly nextUrl?: { readonly basePath?: string };
}

/**
 * Returns a function that returns whether a path is one of `paths`.
 *
 * @throws TypeError if a path doesn't begin with a slash.
 */
export function toPathTest(paths: Paths): (pathname: string) => boolean {
  if (typeof paths === "function") return paths;
  const wrong = paths.find((path) => !path.startsWith("/") || /[*:?#]/.test(path));
  if (wrong !== undefined) {
    throw new TypeError(
      `proxy: "${wrong}" must be a path. Everything below it counts too. Example: protect: ["/account"]`,
    );
  }
  const prefixes = paths.map((path) => path.replace(/\/$/, ""));
  return (pathname) => prefixes.some((prefix) => pathname === prefix || pathname.startsWith(`${prefix}/`));
}

/** Returns the prefix under which the application is mounted: the setting `basePath` of Next, or nothing. */
export function toBasePath(request: Request): string {
  return (request as MountedRequest).nextUrl?.basePath ?? "";
}

/** How Next names what its router loads of a page: it belongs to the page. */
const routerSuffix = /(?:\.segments\/.+\.segment)?\.rsc$/;

/** Returns the path of the page of a request within the application, decoded as Next decodes it. */
export function toPathname(request: Request): string {
  const { pathname } = new URL(request.url);
  const basePath = toBasePath(request);
  const path = pathname.startsWith(basePath) ? pathname.slice(basePath.length) || "/" : pathname;
  try {
    return decodeURIComponent(path).replace(routerSuffix, "");
  } catch {
    return path.replace(routerSuffix, "");
  }
}
