import type { Client } from "./client.ts";

/** Why a session ended, as the server says. */
export interface SessionEnd {
  /** `token_revoked`: the session was revoked. `token_expired`: it expired. */
  readonly code: string;
  /**
   * Why the session was revoked: `logout`, `replaced`, `reuse`, `revoked`, `password_changed`, `user_disabled`, `user_deleted` or
   * `limit`. `null` if the server doesn't know.
   */
  readonly reason: string | null;
}

/** The options of `watchSession`. */
export interface WatchSessionOptions {
  /** The server's `authPath` setting. Default: `"/api/auth"`. */
  readonly authPath?: string;
  /** Called when the session has ended: right before the listeners of the client that were added after this call. */
  readonly onEnd?: (end: SessionEnd) => void;
}

/** The part of a client that `watchSession` needs. */
export type WatchedClient = Pick<Client, "fetch" | "session" | "onChange" | "reload">;

/** A stream, and the session that the page had when it was opened. */
interface Connection {
  readonly sessionId: string;
  readonly controller: AbortController;
}

/** The longest wait before the next attempt to connect, in seconds. */
const maxDelay = 60;

/**
 * Learns within a second that the session was revoked, instead of at the next request. It holds a stream of server-sent events
 * while a user is logged in and the page is visible. A browser opens only six connections to a server over HTTP/1.1.
 *
 * @param client The client whose session to watch.
 * @returns A function that stops watching.
 * @example
 * const stop = watchSession(client, { onEnd: ({ reason }) => console.info("The session was revoked:", reason) });
 */
export function watchSession(
  client: WatchedClient,
  { authPath = "/api/auth", onEnd }: WatchSessionOptions = {},
): () => void {
  const page = globalThis.document as Document | undefined;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ending: { readonly sessionId: string; readonly end: SessionEnd } | undefined;
  let connection: Connection | undefined;

  function update(): void {
    const { sessionId } = client.session();
    if (ending && ending.sessionId !== sessionId) {
      const { end } = ending;
      ending = undefined;
      onEnd?.(end);
    }
    const isWanted = sessionId !== undefined && page?.visibilityState !== "hidden";
    if (connection && (!isWanted || connection.sessionId !== sessionId)) disconnect();
    if (isWanted && !connection) void connect(sessionId);
  }

  function disconnect(): void {
    clearTimeout(timer);
    connection?.controller.abort();
    connection = undefined;
  }

  async function connect(sessionId: string): Promise<void> {
    const own = { sessionId, controller: new AbortController() };
    connection = own;
    const end = await read(own).catch(() => undefined);
    if (connection !== own) return;
    if (end && end.code !== "unavailable") {
      // A revoked access token also ends the stream. A request shows whether the session is still live: if it is refused, the client
      // refreshes, once for all tabs.
      ending = { sessionId, end };
      await client.fetch(`${authPath}/me/`, { cache: "no-store" }).catch(() => {});
      ending = undefined;
      if (connection !== own) return;
    }
    failures += 1;
    timer = setTimeout(
      () => {
        if (connection !== own) return;
        connection = undefined;
        update();
      },
      Math.min(maxDelay, 2 ** failures) * 1000 * (0.5 + Math.random() / 2),
    );
  }

  /** Returns what the server says at the end of the stream; `undefined` if the connection was lost. */
  async function read({ sessionId, controller: { signal } }: Connection): Promise<SessionEnd | undefined> {
    const headers = { Accept: "text/event-stream" };
    const response = await client.fetch(`${authPath}/session/events/`, { headers, signal, cache: "no-store" });
    // The server has no such streams.
    if (response.status === 404) stop();
    if (!response.ok || !response.body) return;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ""; ; ) {
      const { value, done } = await reader.read();
      if (done) return;
      failures = 0;
      text += value;
      const [, data] = /^event: closed\ndata: (.*)\n\n/m.exec(text) ?? [];
      if (data) return JSON.parse(data);
      const [, session] = /^event: session\ndata: (.*)\n\n/m.exec(text) ?? [];
      // While the page was hidden, a form that doesn't use the client has started another session.
      if (session && JSON.parse(session).id !== sessionId) void client.reload().catch(() => {});
      // Heartbeats.
      text = text.slice(text.lastIndexOf("\n\n") + 2);
    }
  }

  function stop(): void {
    stopListening();
    page?.removeEventListener("visibilitychange", update);
    disconnect();
  }

  const stopListening = client.onChange(update);
  page?.addEventListener("visibilitychange", update);
  update();
  return stop;
}
