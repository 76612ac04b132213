import { alice, type TestAuth } from "./auth.ts";

/** The server's origin, as every test's browser knows it. */
export const ownOrigin = "https://auth.example";

interface Cookie {
  readonly value: string;
  readonly path: string;
  readonly isPersistent: boolean;
}

/** What a test may set in a browser's request. */
export interface BrowserRequest {
  /** Sent as JSON, unless it is a text. */
  readonly body?: unknown;
  /** Replace the browser's own headers; `null` removes one. */
  readonly headers?: Readonly<Record<string, string | null>>;
}

/** A browser, as `createBrowser` creates it. */
export type Browser = ReturnType<typeof createBrowser>;

/**
 * Creates a browser with a same-origin page. It stores cookies by path, sends them, and adds the headers of our client.
 */
export function createBrowser(auth: Pick<TestAuth, "send">) {
  const jar = new Map<string, Cookie>();

  function storeCookie(setCookie: string): void {
    const [pair = "", ...attributes] = setCookie.split("; ");
    const name = pair.slice(0, pair.indexOf("="));
    const read = (attribute: string) => attributes.find((a) => a.startsWith(`${attribute}=`))?.split("=")[1];
    const maxAge = read("Max-Age");
    if (maxAge === "0") jar.delete(name);
    else
      jar.set(name, {
        value: pair.slice(name.length + 1),
        path: read("Path") ?? "",
        isPersistent: maxAge !== undefined,
      });
  }

  const toCookieHeader = (path: string) =>
    [...jar].filter(([, cookie]) => path.startsWith(cookie.path)).map(([name, { value }]) => `${name}=${value}`);

  async function send(method: string, path: string, { body, headers = {} }: BrowserRequest = {}): Promise<Response> {
    const all = new Headers({ "Sec-Fetch-Site": "same-origin", Origin: ownOrigin });
    const cookies = toCookieHeader(path);
    if (cookies.length > 0) all.set("Cookie", cookies.join("; "));
    const csrfToken = jar.get("__Host-csrftoken")?.value;
    if (method !== "GET" && csrfToken !== undefined) all.set("X-CSRFToken", csrfToken);
    for (const [name, value] of Object.entries(headers)) {
      if (value === null) all.delete(name);
      else all.set(name, value);
    }
    const response = await auth.send(method, path, { headers: all, body });
    for (const setCookie of response.headers.getSetCookie()) storeCookie(setCookie);
    return response;
  }

  return {
    send,
    get: (path: string, request?: BrowserRequest) => send("GET", path, request),
    post: (path: string, body?: unknown, headers?: BrowserRequest["headers"]) =>
      send("POST", path, { body, ...(headers === undefined ? {} : { headers }) }),
    /** Returns a cookie's value. */
    cookie: (name: string) => jar.get(name)?.value,
    /** Returns the names of the session's cookies, without the device cookie. */
    cookieNames: () => [...jar.keys()].filter((name) => name !== "__Secure-device").sort(),
    setCookie: (name: string, value: string, path = "/") => jar.set(name, { value, path, isPersistent: true }),
    deleteCookie: (name: string) => jar.delete(name),
    /** Closes and opens the browser: deletes the cookies without Max-Age. */
    restart: () => {
      for (const [name, { isPersistent }] of jar) if (!isPersistent) jar.delete(name);
    },
    /** Gets the CSRF token and logs alice in. Throws if the login fails. */
    async logIn({ remember }: { readonly remember?: boolean } = {}): Promise<{ readonly sessionId: string }> {
      await send("GET", "/api/auth/csrf/");
      const response = await send("POST", "/api/auth/login/", { body: { ...alice, remember } });
      if (response.status !== 200) throw new Error(`login answered ${response.status}: ${await response.text()}`);
      const { session } = (await response.json()) as { session: { id: string } };
      return { sessionId: session.id };
    },
    /** Returns whether the access cookie is accepted. */
    isLoggedIn: async () => (await send("GET", "/api/auth/me/")).status === 200,
  };
}
