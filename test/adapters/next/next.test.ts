import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { handlers, type ProxyOptions, proxy, sharedAuth, withUser } from "../../../src/adapters/next/index.ts";
import type { Auth } from "../../../src/index.ts";
import { type AuthNode, addUser, startNode } from "../../auth/node.ts";

const origin = "https://app.example.com";
const document = { "sec-fetch-dest": "document", "sec-fetch-mode": "navigate", "sec-fetch-site": "none" };

let node: AuthNode;
let auth: Auth;
let userId: string;
/** The `Cookie` header of a browser with a session, and of one whose access token has expired. */
let live: string;
let expired: string;

beforeAll(async () => {
  node = await startNode();
  ({ auth } = node);
  userId = await addUser(auth);
  const { cookies } = await auth.startSession(new Request(`${origin}/`), userId);
  const pairs = cookies.map((cookie) => cookie.split(";")[0] ?? "").filter((pair) => !pair.includes("refresh"));
  live = pairs.join("; ");
  expired = pairs.filter((pair) => pair.includes("csrftoken")).join("; ");
});
afterAll(() => node.close());

/** A request as Next passes it to a proxy. */
function toRequest(path: string, headers: Record<string, string> = {}, { method = "GET", basePath = "" } = {}) {
  const request = new Request(`${origin}${path}`, { method, headers });
  return Object.assign(request, { nextUrl: { basePath } });
}

const toProxy = (options: Partial<ProxyOptions> = {}) => proxy(auth, { protect: ["/account"], ...options });

describe("the proxy", () => {
  it("lets pass what is not protected, and requests of logged-in users", async () => {
    const run = toProxy();
    for (const path of ["/", "/accounts", "/about/account", "/login"]) {
      expect(await run(toRequest(path, document))).toBeUndefined();
    }
    expect(await run(toRequest("/account", { ...document, cookie: live }))).toBeUndefined();
    expect(await run(toRequest("/account/1", { cookie: live }, { method: "POST" }))).toBeUndefined();
  });

  it("redirects a document without a session to the login page, which gets the path and query", async () => {
    const response = await toProxy({ loginPath: "/log-in?from=proxy" })(toRequest("/account/1?a=b&c", document));
    expect(response?.status).toBe(303);
    expect(response?.headers.get("location")).toBe(`${origin}/log-in?from=proxy&next=%2Faccount%2F1%3Fa%3Db%26c`);
    expect(response?.headers.get("cache-control")).toBe("no-store");
  });

  it("redirects a form without a session to the login page alone", async () => {
    const response = await toProxy()(toRequest("/account/1", document, { method: "POST" }));
    expect(response?.headers.get("location")).toBe(`${origin}/login`);
  });

  it("answers a document with an expired access token by the page that refreshes, also where it only resumes", async () => {
    const run = toProxy({ resume: (path) => path === "/" });
    for (const path of ["/account", "/"]) {
      const response = await run(toRequest(path, { ...document, cookie: expired }));
      expect(response?.status).toBe(401);
      expect(await response?.text()).toContain("<!doctype html>");
    }
    expect(await run(toRequest("/", document))).toBeUndefined();
    expect(await run(toRequest("/about", { ...document, cookie: expired }))).toBeUndefined();
  });

  it("answers scripts, prefetches and the router with the contract's 401", async () => {
    const script = { "sec-fetch-dest": "empty", "sec-fetch-mode": "cors", cookie: expired };
    for (const headers of [script, { ...document, "sec-purpose": "prefetch", cookie: expired }, { cookie: expired }]) {
      const response = await toProxy()(toRequest("/account", headers));
      expect(response?.status).toBe(401);
      expect(await response?.json()).toMatchObject({ code: "not_authenticated" });
    }
  });

  it("answers an action with a text that Next's router shows to useAction, and the challenge that patchFetch looks for", async () => {
    const headers = { "next-action": "a1", "sec-fetch-dest": "empty", cookie: expired };
    const response = await toProxy()(toRequest("/account", headers, { method: "POST" }));
    expect(response?.status).toBe(401);
    expect(response?.headers.get("content-type")).toBe("text/plain");
    expect(response?.headers.get("www-authenticate")).toContain("Bearer");
    expect(await response?.text()).toBe("tokenpair: not authenticated");
  });

  it("protects a path however it is written", async () => {
    for (const path of [
      "/%61ccount",
      "/account/",
      "/acc%6Funt/%31",
      "/account.rsc",
      "/account.segments/_tree.segment.rsc",
    ]) {
      expect((await toProxy()(toRequest(path)))?.status).toBe(401);
    }
    expect((await toProxy({ protect: ["/"] })(toRequest("/%zz")))?.status).toBe(401);
  });

  it("names no other host as the next page", async () => {
    for (const path of ["//evil.example/", "/\\evil.example"]) {
      const response = await toProxy({ protect: ["/"] })(toRequest(path, document));
      expect(response?.headers.get("location")).toBe(`${origin}/login`);
    }
  });

  it("protects everything but the login page and its own endpoints", async () => {
    const run = toProxy({ protect: ["/"] });
    for (const path of ["/login", "/login/", "/login?next=%2F", "/api/auth/login/", "/api/token"]) {
      expect(await run(toRequest(path, document))).toBeUndefined();
    }
    expect((await run(toRequest("/login/secrets", document)))?.status).toBe(303);
  });

  it("knows the prefix under which the application is mounted", async () => {
    const mounted = { basePath: "/shop" };
    const response = await toProxy()(toRequest("/shop/account", document, mounted));
    expect(response?.headers.get("location")).toBe(`${origin}/shop/login?next=%2Fshop%2Faccount`);
    const page = await toProxy()(toRequest("/shop/account", { ...document, cookie: expired }, mounted));
    expect(await page?.text()).toContain('data-login="/shop/login?next="');
  });

  it("refuses a pattern in place of a path", () => {
    for (const path of ["account", "/account/:path*", "/(.*)"]) {
      expect(() => toProxy({ protect: [path] })).toThrow(/must be a path/);
    }
  });
});

describe("the route handlers", () => {
  const post = (path: string, headers: Record<string, string>) =>
    new Request(`${origin}${path}`, { method: "POST", headers, body: "{}" });

  it("answer the endpoints of the contract, with and without a trailing slash", async () => {
    const { GET, POST } = handlers(auth);
    for (const path of ["/api/auth/me", "/api/auth/me/"]) {
      expect((await GET(new Request(`${origin}${path}`, { headers: { cookie: live } }))).status).toBe(200);
    }
    const answer = await POST(post("/api/token/", { "content-type": "application/json" }));
    expect(answer.status).toBe(400);
    expect((await GET(new Request(`${origin}/api/other`))).status).toBe(404);
  });

  it("take the last address that the platform has added, or the one that the application finds", async () => {
    const seen: (string | undefined)[] = [];
    const spy = {
      fetch: async (_: Request, connection?: { ip?: string }) => {
        seen.push(connection?.ip);
        return new Response();
      },
    };
    const headers = { "x-forwarded-for": "203.0.113.9, 10.0.0.1", "x-mine": "203.0.113.7" };
    await handlers(spy).GET(new Request(origin, { headers }));
    await handlers(spy, { address: (found) => found.get("x-mine") ?? undefined }).GET(new Request(origin, { headers }));
    await handlers(spy).GET(new Request(origin));
    expect(seen).toEqual(["10.0.0.1", "203.0.113.7", undefined]);
  });

  it("remove the headers that Next adds to requests of this machine, and keep the body", async () => {
    const seen: unknown[] = [];
    const spy = {
      fetch: async (request: Request) => {
        seen.push(request.headers.get("x-forwarded-host"), await request.text());
        return new Response();
      },
    };
    const own = { host: "localhost:3000", "x-forwarded-host": "localhost:3000", "x-forwarded-for": "::1" };
    await handlers(spy).POST(post("/", own));
    await handlers(spy).POST(post("/", { ...own, "x-forwarded-for": "203.0.113.9" }));
    await handlers(spy).POST(post("/", { ...own, host: "app.internal" }));
    expect(seen).toEqual([null, "{}", "localhost:3000", "{}", "localhost:3000", "{}"]);
  });
});

describe("withUser", () => {
  const handle = withUser(() => auth)(async (request, sender, context: { id: string }) =>
    Response.json([request.method, sender.userId, context.id]),
  );
  const ask = (headers: Record<string, string>, method = "GET") =>
    handle(new Request(`${origin}/api/orders`, { method, headers }), { id: "7" });

  it("passes who sent the request and Next's context", async () => {
    expect(await (await ask({ cookie: live })).json()).toEqual(["GET", userId, "7"]);
  });

  it("answers 401 without a session, and 403 to an unsafe request without the CSRF token", async () => {
    expect((await ask({})).status).toBe(401);
    expect((await ask({ cookie: live }, "POST")).status).toBe(403);
    const token = /csrftoken=([^;]+)/.exec(live)?.[1] ?? "";
    expect((await ask({ cookie: live, "x-csrftoken": token, origin, host: "app.example.com" }, "POST")).status).toBe(
      200,
    );
  });

  it("refuses a wrong requirement at once", () => {
    expect(() => withUser(auth, { maxAge: -1 })).toThrow(TypeError);
  });
});

describe("sharedAuth", () => {
  it("creates one instance, also if the module is loaded again", async () => {
    let count = 0;
    const create = async () => ({ number: ++count });
    const [first, second] = [sharedAuth(create, "once"), sharedAuth(create, "once")];
    expect(await first()).toBe(await second());
    expect(await sharedAuth(create, "other")()).toEqual({ number: 2 });
  });

  it("tries again after a failure", async () => {
    let count = 0;
    const get = sharedAuth(async () => {
      if (++count === 1) throw new Error("no database");
      return { count };
    }, "failing");
    await expect(get()).rejects.toThrow("no database");
    expect(await get()).toEqual({ count: 2 });
  });
});
