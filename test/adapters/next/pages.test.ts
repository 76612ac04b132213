import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { action, type ProxyOptions, pages, proxy } from "../../../src/adapters/next/index.ts";
import { type Auth, createAuth, type RequestLike } from "../../../src/index.ts";
import { sqliteStore } from "../../../src/store/sqlite/index.ts";
import { type AuthNode, addUser, startNode } from "../../auth/node.ts";
import { signingKey } from "../../support/auth.ts";

// Next is the application's own. These are the functions that the adapter calls.
const next = vi.hoisted(() => ({ sent: new Headers() }));
vi.mock("next/headers.js", () => ({ headers: async () => next.sent }));
vi.mock("next/server.js", () => ({ connection: async () => undefined }));
vi.mock("next/navigation.js", () => ({
  redirect: (url: string) => {
    throw new Error(`redirect to ${url}`);
  },
}));

const origin = "https://app.example.com";

let node: AuthNode;
let auth: Auth;
let userId: string;
let live: string;
let expired: string;

/** Returns the `Cookie` headers of a browser with a session, and of one whose access cookie has expired. */
async function logIn(to: Auth, request: RequestLike): Promise<readonly [string, string]> {
  const { cookies } = await to.startSession(request, await addUser(to, "bob"));
  const pairs = cookies.map((cookie) => cookie.split(";")[0] ?? "").filter((pair) => !pair.includes("refresh"));
  return [pairs.join("; "), pairs.filter((pair) => pair.includes("csrftoken")).join("; ")];
}

beforeAll(async () => {
  node = await startNode();
  ({ auth } = node);
  [live, expired] = await logIn(auth, new Request(`${origin}/`));
  userId = (await auth.users.findByName("bob"))?.id ?? "";
});
afterAll(() => node.close());
beforeEach(() => {
  next.sent = new Headers({ host: "app.example.com", cookie: live });
});

describe("a server action", () => {
  const run = async (headers: Record<string, string>, requirement = {}) => {
    next.sent = new Headers({ host: "app.example.com", cookie: live, ...headers });
    const rename = action(auth, requirement)(async ({ userId }, name: string) => `${userId} is ${name}`);
    return rename("Bob").catch((error) => error.digest);
  };

  it("runs as the user if the browser has stated an origin of its own", async () => {
    expect(await run({ "sec-fetch-site": "same-origin" })).toBe(`${userId} is Bob`);
    expect(await run({ origin })).toBe(`${userId} is Bob`);
    expect(await run({ origin }, { maxAge: 60 })).toBe(`${userId} is Bob`);
  });

  it("is refused without a stated origin, for pages of others, and for siblings of the same site", async () => {
    for (const headers of [
      {},
      { origin: "null" },
      { origin: "https://evil.example" },
      { origin: "https://sibling.example.com", "sec-fetch-site": "same-site" },
      { origin: "http://app.example.com" },
      { origin: "http://app.example.com", "sec-fetch-site": "cross-site" },
    ]) {
      expect(await run(headers as Record<string, string>)).toBe("tokenpair: csrf_failed");
    }
    expect(await run({ origin, cookie: expired })).toBe("tokenpair: not authenticated");
  });
});

describe("a server component", () => {
  const { currentUser, requireUser, initialSession } = pages(() => auth, { loginPath: "/log-in" });

  it("gets the user of the request", async () => {
    expect((await currentUser())?.userId).toBe(userId);
    expect((await requireUser()).userId).toBe(userId);
    expect(await initialSession()).toMatchObject({ status: "authenticated", user: { id: userId } });
  });

  it("gets no user of a request of another origin", async () => {
    next.sent.set("origin", "https://evil.example");
    expect(await currentUser()).toBeNull();
  });

  it("redirects to the login page if no user is logged in", async () => {
    next.sent.set("cookie", expired);
    expect(await currentUser()).toBeNull();
    await expect(requireUser({ next: "/a?b=c" })).rejects.toThrow("redirect to /log-in?next=%2Fa%3Fb%3Dc");
    await expect(requireUser({ next: "/a?b=c d" })).rejects.toThrow("redirect to /log-in?next=%2Fa%3Fb%3Dc%2520d");
    await expect(requireUser({ next: "//evil.example" })).rejects.toThrow(/redirect to \/log-in$/);
    expect(await initialSession()).toEqual({ status: "loading" });
    next.sent.delete("cookie");
    expect(await initialSession()).toEqual({ status: "anonymous" });
  });
});

describe("next dev", () => {
  it("knows of a session whose access token has expired by its development cookie", async () => {
    vi.stubEnv("NODE_ENV", "development");
    const store = sqliteStore(":memory:");
    await store.migrate();
    const development = createAuth({ store, signingKey, passwordMemoryCost: 8 });
    vi.unstubAllEnvs();
    await development.ready();
    const headers = { host: "localhost:3000" };
    const request = { headers, method: "GET", url: "/", socket: { remoteAddress: "127.0.0.1" } };
    const [all, old] = await logIn(development, request);
    expect(old).toMatch(/^csrftoken=/);
    const { initialSession } = pages(development);
    // Next adds these to every request.
    const added = { host: "localhost:3000", "x-forwarded-host": "localhost:3000", "x-forwarded-for": "::1" };
    next.sent = new Headers({ ...added, cookie: all });
    expect((await initialSession()).status).toBe("authenticated");
    next.sent = new Headers({ ...added, cookie: old });
    expect((await initialSession()).status).toBe("loading");
    await development.close();
    await store.close();
  });
});

describe("the options of the adapter of Next", () => {
  it("are refused if a name is misspelt, or the login page may be elsewhere", () => {
    const [misspelt, elsewhere] = [{ loginPaht: "/a" } as object, { loginPath: "//evil.example" }];
    expect(() => proxy(auth, { protect: [], ...misspelt } as ProxyOptions)).toThrow("Did you mean loginPath?");
    expect(() => proxy(auth, { protect: [], ...elsewhere })).toThrow(TypeError);
    expect(() => pages(auth, misspelt)).toThrow("Did you mean loginPath?");
    expect(() => pages(auth, elsewhere)).toThrow(TypeError);
  });
});
