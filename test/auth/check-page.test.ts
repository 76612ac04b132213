import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Auth, CheckPageOptions } from "../../src/index.ts";
import { type AuthNode, addUser, startNode } from "./node.ts";

const origin = "https://app.example.com";
const document = { "sec-fetch-dest": "document", "sec-fetch-mode": "navigate", "sec-fetch-site": "same-origin" };

interface Asked extends CheckPageOptions {
  readonly path?: string;
}

describe("auth.checkPage", () => {
  let node: AuthNode;
  let auth: Auth;
  let live: string;
  let expired: string;

  beforeAll(async () => {
    node = await startNode({ publicPath: "/shop", checkUserIsActive: true });
    auth = node.auth;
    const { cookies } = await auth.startSession(new Request(`${origin}/`), await addUser(auth));
    const pairs = cookies.map((cookie) => cookie.split(";")[0] ?? "");
    live = pairs.join("; ");
    expired = pairs.filter((pair) => pair.includes("csrftoken")).join("; ");
  });
  afterAll(() => node.close());

  async function ask(
    headers: Record<string, string>,
    { method = "GET", path = "/orders?page=2", loginPath = "/sign-in?kind=shop", ...required }: Asked = {},
  ) {
    const request = new Request(`${origin}${path}`, { method, headers });
    const result = await auth.checkPage(request, { loginPath, ...required });
    if (result.ok) return "ok";
    return `${result.response.status} ${result.response.headers.get("Location") ?? result.response.headers.get("Content-Type")}`;
  }

  it("authenticates a page by the access cookie alone", async () => {
    expect(await ask({ ...document, cookie: live })).toBe("ok");
  });

  it("answers an expired access token by the page that refreshes", async () => {
    expect(await ask({ ...document, cookie: expired })).toBe("401 text/html; charset=utf-8");
    expect(await ask({ ...document, cookie: expired }, { method: "POST" })).toBe("401 text/html; charset=utf-8");
  });

  it("redirects a browser without a session to the login page, with the address that the browser sees", async () => {
    expect(await ask(document)).toBe("303 /sign-in?kind=shop&next=%2Fshop%2Forders%3Fpage%3D2");
    expect(await ask(document, { method: "POST" })).toBe("303 /sign-in?kind=shop");
  });

  it("refuses scripts, prefetches and frames like check", async () => {
    for (const headers of [
      { "sec-fetch-dest": "empty" },
      { "sec-purpose": "prefetch" },
      { "sec-fetch-dest": "iframe" },
    ]) {
      expect(await ask({ ...document, cookie: expired, ...headers })).toBe("401 application/json");
    }
  });

  it("accepts a form of its own origin without a CSRF token, and no form of another", async () => {
    expect(await ask({ ...document, cookie: live }, { method: "POST" })).toBe("ok");
    const foreign = { ...document, "sec-fetch-site": "cross-site", origin: "https://evil.example" };
    expect(await ask({ ...foreign, cookie: live }, { method: "POST" })).toBe("403 application/json");
    expect(await ask({ ...foreign, cookie: expired }, { method: "POST" })).toBe("403 application/json");
    const stateless = { accept: "text/html,*/*;q=0.8", cookie: live };
    expect(await ask(stateless, { method: "POST" })).toBe("403 application/json");
    expect(await ask({ ...stateless, origin }, { method: "POST" })).toBe("ok");
  });

  it("requires the CSRF token of a script's POST", async () => {
    expect(await ask({ ...document, "sec-fetch-dest": "empty", cookie: live }, { method: "POST" })).toBe(
      "403 application/json",
    );
  });

  it("doesn't redirect the login page to itself", async () => {
    for (const path of ["/sign-in", "/sign-in/?next=%2Fshop"]) {
      const options = { path, loginPath: "/shop/sign-in?kind=shop" };
      expect(await ask(document, options)).toBe("401 application/json");
      expect(await ask(document, { ...options, method: "POST" })).toBe("401 application/json");
      expect(await ask({ ...document, cookie: expired }, options)).toBe("401 application/json");
    }
  });

  it("redirects a user who must confirm who they are", async () => {
    expect(await ask({ ...document, cookie: live }, { maxAge: 600 })).toBe("ok");
    expect(await ask({ ...document, cookie: live }, { amr: ["otp"], loginPath: "/confirm" })).toBe(
      "303 /confirm?next=%2Fshop%2Forders%3Fpage%3D2",
    );
    expect(await ask({ ...document, "sec-fetch-dest": "empty", cookie: live }, { amr: ["otp"] })).toBe(
      "401 application/json",
    );
    expect(() => auth.checkPage(new Request(origin), { maxAge: -1 })).toThrow(TypeError);
  });

  it("accepts no form that a page of http has sent, which an attacker may have answered", async () => {
    const url = "/orders";
    const headers = { host: "app.example.com", accept: "text/html,*/*;q=0.8", cookie: live };
    const ask = (origin: string) => auth.checkPage({ headers: { ...headers, origin }, method: "POST", url });
    expect((await ask("http://app.example.com")).ok).toBe(false);
    expect((await ask("https://app.example.com")).ok).toBe(true);
  });
});
