import type { AccessClaims } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import type { Settings } from "../core/settings/settings.ts";
import { isSafeMethod } from "./cookies/same-origin.ts";
import type { ReadBearerToken } from "./request/bearer.ts";
import type { RequestHead } from "./request/headers.ts";
import { readMediaType } from "./request/media-types.ts";

/*
 * A proxy asks whether to let a request through: nginx by auth_request, Caddy by forward_auth, Envoy by ext_authz. It sends the
 * headers of that request, and says its method and host in other headers.
 */

/** What answers the proxy. Neither needs a store: a verifier has both. */
export interface ForwardAuthDeps {
  readonly settings: Pick<Settings, "checkCsrf">;
  readonly readBearerToken: ReadBearerToken;
  /**
   * Returns who sent a request. By cookie, an unsafe method needs an allowed origin and the CSRF token.
   *
   * @throws AuthError
   */
  readonly authenticate: (request: RequestHead) => AccessClaims | Promise<AccessClaims>;
}

/** What the caller knows about the proxy's request. */
export interface ForwardAuthOptions {
  /** The endpoint's path. A path below it means that the proxy has appended the path of the client's request. */
  readonly path: string;
  /** Whether the sender is a proxy whose `X-Forwarded-…` headers are true. */
  readonly isFromTrustedProxy: boolean;
}

/**
 * Answers a proxy: 200 with the headers that say who sent the request.
 *
 * @param request what the proxy sent. Its body is ignored.
 * @throws AuthError if the request must not pass. The answer to it needs the headers of `noIdentity`.
 */
export async function answerForwardAuth(
  { settings, readBearerToken, authenticate }: ForwardAuthDeps,
  request: Request,
  { path, isFromTrustedProxy }: ForwardAuthOptions,
): Promise<Response> {
  const isBelow = ![path, `${path}/`].includes(new URL(request.url).pathname);
  const options = isBelow || toSaidMethods(request).length === 0 ? new Set() : readOptions(request);
  const isSafe = isSafeRequest(request, isBelow);
  const mayBeForged = !isSafe && settings.checkCsrf;
  try {
    const original = { ...toOriginal(request, isFromTrustedProxy), method: mayBeForged ? undefined : "GET" };
    const claims = await authenticate(original);
    if (mayBeForged && !options.has("forms") && readBearerToken(original.headers) === null) requireNoForm(request);
    return new Response(null, { headers: toIdentity(claims) });
  } catch (error) {
    const isAnonymous = error instanceof AuthError && error.code === "not_authenticated";
    if (isAnonymous && options.has("optional")) return new Response(null, { headers: noIdentity });
    throw error;
  }
}

/**
 * The headers of every answer that names no user: empty, so that a proxy that copies them overwrites those that a client has
 * forged.
 */
export const noIdentity = Object.freeze({
  "X-User-Id": "",
  "X-Session-Id": "",
  "X-Token-Id": "",
  "X-User-Epoch": "",
  "X-Token-Expires": "",
}) satisfies Readonly<Record<string, string>>;

function toIdentity(claims: AccessClaims): Readonly<Record<keyof typeof noIdentity, string>> {
  return {
    "X-User-Id": toHeaderValue(claims.userId),
    "X-Session-Id": toHeaderValue(claims.sessionId),
    "X-Token-Id": toHeaderValue(claims.tokenId),
    "X-User-Epoch": String(claims.userEpoch),
    "X-Token-Expires": String(claims.expiresAt),
  };
}

/** Encodes each byte of UTF-8 that isn't printable ASCII, spaces, and "%": so no two values look alike. */
function toHeaderValue(value: string): string {
  const bytes = Buffer.from(value).toString("latin1");
  return bytes.replaceAll(/[^\x21-\x24\x26-\x7e]/g, (byte) => `%${toHex(byte.charCodeAt(0))}`);
}

const toHex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, "0");

/** The options that the operator may add to the path, each as `NAME=1`. */
const optionNames = ["optional", "forms"];

/** The headers in which proxies say the path and the query of the request that they ask about. */
const originalTargets = ["X-Forwarded-Uri", "X-Original-Uri", "X-Original-Url"];

/**
 * Returns the options that are on. Some proxies, such as Caddy, replace the path of the request that they ask about and keep its
 * query. An option that is in that query may be the client's, and doesn't count.
 */
function readOptions({ url, headers }: Request): ReadonlySet<string> {
  const query = new URL(url).searchParams;
  const ofClient = originalTargets.map((name) => toQuery(headers.get(name) ?? ""));
  return new Set(
    optionNames.filter((name) => query.get(name) === "1" && !ofClient.some((original) => original.has(name))),
  );
}

function toQuery(target: string): URLSearchParams {
  const start = target.indexOf("?");
  return new URLSearchParams(start === -1 ? "" : target.slice(start + 1));
}

/**
 * Returns the methods in the headers in which proxies say that of the client's request. A proxy that says none may have appended the
 * client's path and query, as Envoy does, so at "/" the client's query looks like the operator's: options don't count then.
 */
function toSaidMethods({ headers }: Pick<Request, "headers">): readonly string[] {
  return [headers.get("X-Forwarded-Method"), headers.get("X-Original-Method")].filter((name) => name !== null);
}

/**
 * Returns whether the request that the proxy asks about is known to change nothing. Envoy sends its method itself, below the
 * path; other proxies send GET and say the method in a header. A proxy that sets one header may forward the other one as the
 * client sent it, so all that are there must agree.
 */
function isSafeRequest(request: Request, isBelow: boolean): boolean {
  const known = [...toSaidMethods(request), ...(isBelow ? [request.method] : [])];
  return known.length > 0 && known.every(isSafeMethod);
}

/** Returns the headers and the URL with the host and the scheme of the client's request, with which origins are compared. */
function toOriginal({ url, headers }: Request, isFromTrustedProxy: boolean): Pick<RequestHead, "url"> & RequestHeaders {
  const all = Object.fromEntries(headers);
  if (!isFromTrustedProxy) return { url, headers: all };
  const { "x-forwarded-host": host, "x-forwarded-proto": protocol } = all;
  const original = new URL(url);
  if (protocol === "https" || protocol === "http") original.protocol = protocol;
  return { url: original.href, headers: host === undefined ? all : { ...all, host } };
}

interface RequestHeaders {
  readonly headers: Readonly<Record<string, string>>;
}

/** The media types that a page of any origin may send without asking first (Fetch §2.2.2). */
const formTypes = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

/** The proxy sends no body, so its `Content-Type` decides. @throws AuthError `csrf_failed` */
function requireNoForm({ headers }: Request): void {
  const mediaType = readMediaType(headers);
  if (formTypes.includes(mediaType)) throw new AuthError("csrf_failed", `Media type "${mediaType}" is not accepted.`);
}
