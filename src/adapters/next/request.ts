import { isLoopbackAddress, parseAddress } from "../../core/addresses.ts";
import type { ConnectionInfo, RequestLike } from "../../index.ts";

/** Returns the address of the client or of the last proxy from the headers of a request. */
export type FindAddress = (headers: Headers) => string | undefined;

/**
 * Returns the address that the platform has added last. On Vercel, it is the client's. Elsewhere it is the last entry of
 * `X-Forwarded-For`: Next writes the socket's address there if no proxy has sent the header, and doesn't give it away otherwise.
 */
export const findAddress: FindAddress = (headers) => {
  const name = process.env["VERCEL"] === "1" ? "x-vercel-forwarded-for" : "x-forwarded-for";
  return headers.get(name)?.split(",").at(-1)?.trim() || undefined;
};

/** Returns a request without the headers that Next has added itself, and its connection. */
export function toOwnRequest(request: Request, find: FindAddress): readonly [Request, ConnectionInfo] {
  const ip = find(request.headers);
  const connection = ip === undefined ? {} : { ip };
  const headers = toOwnHeaders(request.headers);
  if (headers === request.headers) return [request, connection];
  // Next's request is a proxy of a `Request`, which the constructor doesn't take.
  const { url, method, body, signal } = request;
  return [new Request(url, { method, headers, body, signal, duplex: "half" }), connection];
}

/** Returns what `auth.check` reads of a request. */
export function toRequestLike(headers: Headers, method: string, url?: string): RequestLike {
  return { headers: toOwnHeaders(headers), method, url, socket: { remoteAddress: findAddress(headers) } };
}

/**
 * Returns the headers without `X-Forwarded-*` if a browser on this machine has sent the request without a proxy. Next adds these
 * headers to every request. With them, the request would seem to come through a proxy, and would get no development cookies.
 */
function toOwnHeaders(headers: Headers): Headers {
  const address = parseAddress(headers.get("x-forwarded-for") ?? "");
  const isDirect = address !== null && isLoopbackAddress(address);
  if (!isDirect || headers.get("x-forwarded-host") !== headers.get("host")) return headers;
  return new Headers([...headers].filter(([name]) => !name.startsWith("x-forwarded-")));
}

/**
 * Returns the headers of the request that a component is rendered for. Call it before anything else: without a request, as in
 * `next build`, it ends the rendering. Next may know the headers before the request, but what follows reads the time.
 */
export async function readSent(): Promise<Headers> {
  const [{ headers }, { connection }] = await Promise.all([import("next/headers.js"), import("next/server.js")]);
  await connection();
  return headers();
}
