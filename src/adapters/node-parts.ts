import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { ConnectionInfo } from "../index.ts";

/** Returns what the socket knows of the client. */
export function toConnection(incoming: IncomingMessage): ConnectionInfo {
  const ip = incoming.socket.remoteAddress;
  return ip === undefined ? {} : { ip };
}

/** Converts Fetch headers to Node's. Each `Set-Cookie` stays a separate header (RFC 6265 §3). */
export function toNodeHeaders(headers: Headers): OutgoingHttpHeaders {
  const cookies = headers.getSetCookie();
  return { ...Object.fromEntries(headers), ...(cookies.length === 0 ? {} : { "set-cookie": cookies }) };
}

/** Sends a Fetch response through `node:http`. */
export async function sendResponse(response: Response, res: ServerResponse): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer());
  res.writeHead(response.status, toNodeHeaders(response.headers)).end(body);
}
