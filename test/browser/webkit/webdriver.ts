/** A session of the WebDriver protocol. @see https://www.w3.org/TR/webdriver2/ */
export interface WebDriverSession {
  /**
   * Sends a command about one window, after it has switched to it. The protocol has one current window, so commands are
   * sent one after the other.
   *
   * @param path the path below the session, for example "url".
   * @returns the `value` of the response.
   */
  readonly command: (
    window: string,
    method: "GET" | "POST" | "DELETE",
    path: string,
    body?: object,
  ) => Promise<unknown>;
  /** Opens a tab and returns its window handle. */
  readonly openWindow: () => Promise<string>;
  /** Ends the session, which closes the browser. */
  readonly close: () => Promise<void>;
}

/** How long a command may take. Milliseconds. */
const commandTimeout = 30_000;

/** Starts a session at a driver, whose first window isn't used. A new tab is hidden behind it, a new `window` is visible. */
export async function startSession(
  driver: string,
  capabilities: object,
  type: "tab" | "window" = "tab",
): Promise<WebDriverSession> {
  async function send(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${driver}${path}`, {
      method,
      signal: AbortSignal.timeout(commandTimeout),
      ...(method === "POST" && { body: JSON.stringify(body ?? {}) }),
    });
    const { value } = (await response.json()) as { readonly value: unknown };
    if (response.ok) return value;
    const { error, message } = value as { readonly error: string; readonly message: string };
    throw new Error(`WebDriver: ${method} ${path.replace(/.*\//, "")}: ${error}: ${message}`);
  }

  const { sessionId } = (await send("POST", "/session", { capabilities: { alwaysMatch: capabilities } })) as {
    readonly sessionId: string;
  };
  const root = `/session/${sessionId}`;
  const first = (await send("GET", `${root}/window`)) as string;
  let current = first;
  let queue: Promise<unknown> = Promise.resolve();

  function enqueue<T>(run: () => Promise<T>): Promise<T> {
    const turn = queue.then(run);
    queue = turn.catch(() => undefined);
    return turn;
  }

  async function switchTo(window: string): Promise<void> {
    if (window === current) return;
    await send("POST", `${root}/window`, { handle: window });
    current = window;
  }

  return {
    command: (window, method, path, body) =>
      enqueue(async () => {
        await switchTo(window);
        const result = await send(method, `${root}/${path}`, body);
        // Without a current window the protocol allows no command but to switch to another one.
        if (method === "DELETE" && path === "window") await switchTo(first);
        return result;
      }),
    openWindow: () =>
      enqueue(async () => {
        const { handle } = (await send("POST", `${root}/window/new`, { type })) as { readonly handle: string };
        return handle;
      }),
    close: () => enqueue(async () => void (await send("DELETE", root))),
  };
}
