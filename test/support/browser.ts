import { alice, type TestAuth } from "./auth.ts";

/** The origin under which every test's browser finds the server. */
export const ownOrigin = "https://auth.example";

interface Cookie {
  readonly value: string;
  readonly path: string;
  readonly isPersistent: boolean;
}

export interface BrowserRequest {
  readonly body?: unknown;
  /** Laid over the browser's own; `null` takes one away. */
  readonly headers?: Readonly<Record<string, string | null>>;
}

export type Browser = ReturnType<typeof createBrowser>;

/** A page of our own in a browser: keeps cookies by path, sends them, and adds what a browser and our client add. */
export function createBrowser(auth: Pick<TestAuth, "send">) {
  const jar = new Map<string, Cookie>();

  function keep(setCookie: string): void {
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
    for (const setCookie of response.headers.getSetCookie()) keep(setCookie);
    return response;
  }

  return {
    send,
    get: (path: string, request?: BrowserRequest) => send("GET", path, request),
    post: (path: string, body?: unknown, headers?: BrowserRequest["headers"]) =>
      send("POST", path, { body, ...(headers === undefined ? {} : { headers }) }),
    /** A cookie's value. */
    cookie: (name: string) => jar.get(name)?.value,
    /** Of the session: the device cookie outlives it. */
    cookieNames: () => [...jar.keys()].filter((name) => name !== "__Secure-device").sort(),
    setCookie: (name: string, value: string, path = "/") => jar.set(name, { value, path, isPersistent: true }),
    deleteCookie: (name: string) => jar.delete(name),
    /** Closed and opened again: session cookies are gone. */
    restart: () => {
      for (const [name, { isPersistent }] of jar) if (!isPersistent) jar.delete(name);
    },
    /** Gets the CSRF token and logs alice in. */
    async logIn({ remember }: { readonly remember?: boolean } = {}): Promise<{ readonly sessionId: string }> {
      await send("GET", "/api/auth/csrf/");
      const response = await send("POST", "/api/auth/login/", { body: { ...alice, remember } });
      if (response.status !== 200) throw new Error(`login answered ${response.status}: ${await response.text()}`);
      const { session } = (await response.json()) as { session: { id: string } };
      return { sessionId: session.id };
    },
    /** Whether the access cookie is accepted. */
    isLoggedIn: async () => (await send("GET", "/api/auth/me/")).status === 200,
  };
}
