import type { IncomingMessage } from "node:http";

/** How a socket was opened. */
export interface SocketHandshake {
  /** The request that opened the socket: the second argument of `handleConnection`. Socket.IO's sockets know it. */
  readonly request?: IncomingMessage | undefined;
  /** An access token that the client sent instead of a cookie. Default: with Socket.IO, `token` in the client's `auth`. */
  readonly token?: unknown;
}

/** The parts of a socket of `ws` or Socket.IO that tokenpair uses. */
interface SocketLike {
  once(event: string, listener: () => void): unknown;
  readonly readyState?: number;
  close?(code: number, reason: string): unknown;
  readonly handshake?: { readonly auth?: Readonly<Record<string, unknown>> };
  readonly request?: IncomingMessage;
  readonly disconnected?: boolean;
  disconnect?(close: boolean): unknown;
}

/** Returns what authenticates a socket: a token, or the request that opened it. */
export function toHandshake(client: object, { request, token }: SocketHandshake): Request | Headers | IncomingMessage {
  const socket = client as SocketLike;
  const given = token ?? socket.handshake?.auth?.["token"];
  if (typeof given === "string") return new Headers({ Authorization: `Bearer ${given}` });
  const opener = request ?? (socket.handshake && socket.request);
  if (opener === undefined) {
    throw new TypeError(
      "The request of a socket is unknown. In handleConnection(client, request), call connect(client, { request }).",
    );
  }
  if (opener.headers.upgrade !== undefined) return opener;
  // Socket.IO's polling: browsers don't say reliably which page sends such a request, so its cookies prove nothing.
  return new Headers(opener.headers.authorization === undefined ? {} : { Authorization: opener.headers.authorization });
}

/** Returns a signal that aborts when the socket has closed. */
export function whenGone(client: object): AbortSignal {
  const socket = client as SocketLike;
  const gone = new AbortController();
  socket.once(socket.disconnect === undefined ? "close" : "disconnect", () => gone.abort());
  if (socket.disconnected === true || (socket.readyState ?? 0) > 1) gone.abort();
  return gone.signal;
}

/** Closes a socket. Socket.IO has no codes. */
export function closeSocket(client: object, code: number, reason: string): void {
  const socket = client as SocketLike;
  if (socket.disconnect !== undefined) socket.disconnect(true);
  else socket.close?.(code, reason);
}
