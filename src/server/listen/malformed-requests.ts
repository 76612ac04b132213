import { type Server, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { standardHeaders } from "../../http/response/json.ts";

/** A request that was refused before it became a `Request`, because it is invalid HTTP, too large, or too slow. */
export interface MalformedRequest {
  /** The status of the response. */
  readonly status: number;
  /** Node's error code, or "URL". */
  readonly reason: string;
}

interface Refusal {
  readonly status: number;
  readonly body: { readonly detail: string; readonly code: string };
}

/** The response to a request that isn't valid HTTP. */
export const badRequest: Refusal = { status: 400, body: { detail: "Bad request.", code: "bad_request" } };

const otherRefusals: Readonly<Record<string, Refusal>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, body: { detail: "The request took too long.", code: "request_timeout" } },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, body: { detail: "Request body is too large.", code: "too_large" } },
  HPE_HEADER_OVERFLOW: { status: 431, body: { detail: "Request headers are too large.", code: "headers_too_large" } },
};

/**
 * Answers every request that Node's parser refuses. The response is a JSON error of the HTTP contract. Then closes the
 * socket. If a response has already begun or the connection is broken, only closes the socket.
 *
 * @param isAnswering returns whether a response has begun on a socket.
 * @param onMalformed called for every request that was answered here.
 */
export function answerMalformedRequests(
  server: Server,
  isAnswering: (socket: Duplex) => boolean,
  onMalformed: (request: MalformedRequest) => void,
): void {
  server.on("clientError", ({ code = "" }: NodeJS.ErrnoException, socket) => {
    const refusal = otherRefusals[code] ?? (code.startsWith("HPE_") ? badRequest : undefined);
    if (refusal === undefined || !socket.writable || isAnswering(socket)) {
      socket.destroy();
      return;
    }
    socket.end(toMessage(refusal), () => socket.destroy());
    onMalformed({ status: refusal.status, reason: code });
  });
}

function toMessage({ status, body }: Refusal): string {
  const text = JSON.stringify(body);
  const headers = {
    ...standardHeaders,
    "Content-Type": "application/json",
    "Content-Length": text.length,
    Connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, "", text].join("\r\n");
}
