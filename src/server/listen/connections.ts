import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** How many requests of one connection may wait for their answers. A browser sends one at a time. */
const maxPipelined = 16;

/**
 * Knows which connections have a request running. Node closes a connection by itself only where it is idle after a
 * response: not one that has never sent a request, and one with a running request not before its keep-alive time is over.
 */
export function trackConnections(server: Server) {
  const running = new Map<Duplex, Set<ServerResponse>>();
  let isClosing = false;
  server.on("connection", (socket) => {
    running.set(socket, new Set());
    socket.once("close", () => running.delete(socket));
  });
  return {
    /** Whether a request may be answered. Closes the connection of a client that asks on without reading the answers. */
    admit({ socket }: IncomingMessage, response: ServerResponse): boolean {
      const responses = running.get(socket);
      if (responses === undefined || socket.destroyed) return false;
      if (responses.size >= maxPipelined) {
        socket.destroy();
        return false;
      }
      responses.add(response);
      response.once("close", () => {
        responses.delete(response);
        if (isClosing && responses.size === 0) socket.destroySoon();
      });
      return true;
    },
    closeWaiting() {
      isClosing = true;
      for (const [socket, responses] of running) if (responses.size === 0) socket.destroy();
    },
    /** Whether a part of a response has been sent, so that no other can be. */
    isAnswering: (socket: Duplex) => [...(running.get(socket) ?? [])].some((response) => response.headersSent),
  };
}
