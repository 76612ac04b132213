import { Inject, Injectable, Logger } from "@nestjs/common";
import type { RegisteredAuthentication } from "../../index.ts";
import type { Carrier } from "./context.ts";
import { openSocket } from "./open-socket.ts";
import { authToken, type NestAuth } from "./options.ts";
import { closeSocket, type SocketHandshake } from "./socket.ts";
import { SocketRefusal } from "./socket-refusal.ts";

/**
 * Authenticates the sockets of gateways, and closes them when their session is revoked.
 *
 * @example
 * class Chat {
 *   constructor(private readonly sockets: AuthSockets) {}
 *   handleConnection(client: WebSocket, request: IncomingMessage) {
 *     return this.sockets.connect(client, { request });
 *   }
 * }
 */
export class AuthSockets {
  readonly #auth: NestAuth;
  readonly #known = new WeakMap<object, Promise<RegisteredAuthentication | SocketRefusal>>();

  /** Nest calls it. */
  constructor(auth: NestAuth) {
    this.#auth = auth;
  }

  /**
   * Authenticates a new socket by the request that opened it. Closes it if it isn't authenticated, and when its session is revoked: with
   * the code 4401, or 1013 if this node can't know. Never rejects. @returns who opened the socket, or null if it is closed.
   */
  async connect(client: object, handshake: SocketHandshake = {}): Promise<RegisteredAuthentication | null> {
    const found = await this.find(client, handshake).catch((error: unknown) => {
      Logger.error(error, "AuthSockets");
      return new SocketRefusal(503, {});
    });
    if (found instanceof SocketRefusal) closeSocket(client, found.closeCode, "not authenticated");
    return found instanceof SocketRefusal ? null : found;
  }

  /** Returns who opened a socket, or why it is refused. */
  find(client: Carrier, handshake: SocketHandshake): Promise<RegisteredAuthentication | SocketRefusal> {
    const known =
      this.#known.get(client) ??
      openSocket(this.#auth, { client, handshake }, (refusal) => this.#known.set(client, Promise.resolve(refusal)));
    this.#known.set(client, known);
    return known;
  }
}
Injectable()(AuthSockets);
Inject(authToken)(AuthSockets, undefined, 0);
