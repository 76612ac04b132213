import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { AnyCors, ConnectionInfo, CorsOptions } from "../../index.ts";

/**
 * Returns what the socket knows about the client. If the client has closed a TCP socket, the socket has no address. All
 * such requests count as one client, so a client can't escape the limits by closing the connection.
 */
export function toConnection({ socket }: Pick<IncomingMessage, "socket">): ConnectionInfo {
  const { remoteAddress, localAddress, destroyed } = socket;
  if (remoteAddress !== undefined) return { ip: remoteAddress };
  const isUnixSocket = localAddress === undefined && !destroyed;
  return { ip: isUnixSocket ? "unix" : "closed" };
}

/** Converts Fetch headers to Node's headers. Each `Set-Cookie` stays a separate header (RFC 6265 §3). */
export function toNodeHeaders(headers: Headers): OutgoingHttpHeaders {
  const cookies = headers.getSetCookie();
  return { ...Object.fromEntries(headers), ...(cookies.length === 0 ? {} : { "set-cookie": cookies }) };
}

/** Sends a Fetch response through `node:http`. */
export async function sendResponse(response: Response, res: ServerResponse): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer());
  res.writeHead(response.status, toNodeHeaders(response.headers)).end(body);
}

/**
 * Adds the CORS headers to a response that hasn't been sent yet. Skips requests to tokenpair's own endpoints, because those
 * responses have their own CORS headers. Returns true if the request was a preflight, which has then been answered.
 */
export function sendCors(auth: AnyCors, req: IncomingMessage, res: ServerResponse, options?: CorsOptions): boolean {
  if (auth.handles(req)) return false;
  const { isPreflight, headers } = auth.cors(req, options);
  for (const [name, value] of Object.entries(headers)) {
    if (name === "Vary") res.appendHeader(name, value);
    else res.setHeader(name, value);
  }
  if (isPreflight) res.writeHead(204).end();
  return isPreflight;
}
