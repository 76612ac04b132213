import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** The maximum number of requests on one socket that may wait for their responses. Browsers send one request at a time. */
const maxPipelined = 16;

/** The open sockets of a server, each with the responses that have not been sent yet. */
export interface Sockets {
  /**
   * Registers a request. If the client keeps sending requests without reading the responses, destroys its socket.
   *
   * @returns whether the request may be answered.
   */
  admit(request: IncomingMessage, response: ServerResponse): boolean;
  /** Adds `Connection: close` to all responses that have not begun, and to all later ones. */
  retire(): void;
  /** Destroys all sockets without a running request. Destroys the other sockets after their last response. */
  closeIdle(): void;
  /** Returns whether a client has sent a whole request and waits for the response, which it can't speed up. */
  isWaiting(socket: Duplex): boolean;
  /** Returns whether a part of a response has already been sent. If so, no other response can be sent. */
  isAnswering(socket: Duplex): boolean;
}

/**
 * Keeps track of the sockets that have a running request. Node's own `server.close()` isn't enough. It leaves a socket open
 * that never sent a request. It also keeps a socket with a running request open until its keep-alive time has passed.
 */
export function trackSockets(server: Server): Sockets {
  const running = new Map<Duplex, Set<ServerResponse>>();
  let isRetired = false;
  let isClosing = false;
  server.on("connection", (socket) => {
    running.set(socket, new Set());
    socket.once("close", () => running.delete(socket));
  });
  return {
    admit({ socket }, response) {
      const responses = running.get(socket);
      if (responses === undefined || socket.destroyed) return false;
      if (responses.size >= maxPipelined) {
        socket.destroy();
        return false;
      }
      if (isRetired) askToClose(response);
      responses.add(response);
      response.once("close", () => {
        responses.delete(response);
        if (isClosing && responses.size === 0) socket.destroySoon();
      });
      return true;
    },
    retire() {
      isRetired = true;
      for (const responses of running.values()) {
        // With pipelining, the socket must stay open until the last response.
        const last = [...responses].at(-1);
        if (last !== undefined) askToClose(last);
      }
    },
    closeIdle() {
      isClosing = true;
      for (const [socket, responses] of running) if (responses.size === 0) socket.destroy();
    },
    isWaiting: (socket) =>
      [...(running.get(socket) ?? [])].some((response) => response.req.complete && !response.headersSent),
    isAnswering: (socket) => [...(running.get(socket) ?? [])].some((response) => response.headersSent),
  };
}

function askToClose(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader("Connection", "close");
}
