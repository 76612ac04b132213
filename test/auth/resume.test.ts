import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Auth, ResumeOptions } from "../../src/index.ts";
import { type AuthNode, addUser, bearer, startNode } from "./node.ts";

let node: AuthNode;
let auth: Auth;
/** The `Cookie` headers of a browser whose access cookie has expired, and of one whose hasn't. */
let expired: string;
let live: string;

beforeAll(async () => {
  node = await startNode();
  auth = node.auth;
  const userId = await addUser(auth);
  const { cookies } = await auth.startSession(new Request("https://app.example.com/"), userId);
  const pairs = cookies.map((cookie) => cookie.split(";")[0] ?? "").filter((pair) => !pair.includes("refresh"));
  live = pairs.join("; ");
  expired = pairs.filter((pair) => pair.includes("csrftoken")).join("; ");
});

afterAll(() => node.close());

const document = { "sec-fetch-dest": "document", "sec-fetch-mode": "navigate", "sec-fetch-site": "none" };

const ask = (headers: Record<string, string>, options: ResumeOptions = {}) => {
  const { method = "GET", url = "https://app.example.com/orders?page=2", ...rest } = options;
  return auth.resume(new Request(url, { method, headers: { ...document, cookie: expired, ...headers } }), rest);
};

describe("auth.resume", () => {
  it("answers a document request with an expired access token by a page that no cache keeps", async () => {
    const response = ask({});
    expect(response?.status).toBe(401);
    expect(Object.fromEntries(response?.headers ?? [])).toMatchObject({
      "cache-control": "no-store",
      "content-type": "text/html; charset=utf-8",
      "x-robots-tag": "noindex",
      "referrer-policy": "same-origin",
      vary: "Cookie, Accept, Sec-Fetch-Dest, Sec-Purpose",
      "www-authenticate": 'Bearer realm="api"',
    });
    const html = await response?.text();
    expect(html).toContain('data-auth="/api/auth" data-cookie="__Host-csrftoken" data-header="X-CSRFToken"');
    expect(html).toContain('<noscript><a href="/login?next=%2Forders%3Fpage%3D2">Log in</a></noscript>');
    expect(html).not.toContain(expired.split("=")[1]);
  });

  it("returns null if the access cookie is accepted", () => {
    expect(ask({ cookie: live })).toBeNull();
  });

  it("returns null without a session's CSRF cookie, and if there are two", () => {
    expect(ask({ cookie: "a=b" })).toBeNull();
    expect(ask({ cookie: expired.replace("=s", "=n") })).toBeNull();
    expect(ask({ cookie: `${expired}; ${expired}` })).toBeNull();
  });

  it("returns null for a bearer token", () => {
    expect(ask(bearer("x").headers)).toBeNull();
  });

  it("accepts Headers and Node's requests", () => {
    const headers = { ...document, cookie: expired };
    expect(auth.resume(new Headers(headers), { method: "GET" })?.status).toBe(401);
    expect(auth.resume(new Headers(headers))).toBeNull();
    expect(auth.resume({ method: "GET", url: "/orders", headers })?.status).toBe(401);
  });

  it("refuses a login path of another origin, and unknown options", () => {
    for (const loginPath of [
      "//evil.example",
      "https://evil.example/",
      "login",
      "/\\evil.example",
      "/a b",
      "/a#b",
      "",
    ]) {
      expect(() => ask({}, { loginPath })).toThrow(/loginPath must be a path/);
    }
    expect(() => ask({}, { loginpath: "/" } as ResumeOptions)).toThrow(/Did you mean loginPath/);
  });
});
