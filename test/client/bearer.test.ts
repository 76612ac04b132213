import { describe, expect, it } from "vitest";
import { type BearerClient, type BearerClientOptions, createBearerClient } from "../../src/client/bearer/index.ts";
import { createFakeBrowser, type FakeBrowser, toStorage } from "./fake-browser.ts";

function setUp() {
  const browser = createFakeBrowser();
  const vault = new Map<string, string>();
  const options = {
    storage: toStorage(vault),
    baseUrl: "https://api.example",
    without: ["openChannel", "locks"],
  } as const;
  return { browser, vault, options: { ...options, without: [...options.without] } };
}

const lines = ({ server }: FakeBrowser) => server.requests.map(({ line }) => line);

describe("the bearer client", () => {
  it("is anonymous without a request if the storage is empty", async () => {
    const { browser, options } = setUp();
    const tab = browser.openTab(options);
    await browser.clock.advance(100);
    expect(tab.client.session()).toEqual({ status: "anonymous" });
    expect(browser.server.requests).toEqual([]);
  });

  it("logs in at the token endpoint and stores the tokens only in the storage of the application", async () => {
    const { browser, vault, options } = setUp();
    const tab = await browser.openLoggedIn(options);
    expect(tab.client.session()).toEqual({
      status: "authenticated",
      user: { id: "1", username: "alice" },
      sessionId: "s1",
    });
    expect(JSON.stringify([...vault])).toContain("s1:0");
    expect([...browser.storage]).toEqual([]);
    expect(tab.client.countdown()?.accessExpiresIn).toBeGreaterThan(1799);
  });

  it("returns the user from login()", async () => {
    const { browser, options } = setUp();
    const tab = browser.openTab(options);
    const state = await tab.client.login({ username: "alice", password: "secret" });
    expect(state).toMatchObject({ status: "authenticated", user: { username: "alice" } });
  });

  it("continues a login with the ticket at the token endpoint, and repeats a lost request with its idempotency key", async () => {
    const { browser, options } = setUp();
    browser.server.asksForCode = true;
    const tab = browser.openTab(options);
    const client = tab.client as BearerClient;
    const { body } = await client.login({ username: "alice", password: "secret" }).catch((reason) => reason);
    const step = { ticket: String(body.ticket), code: "123456" };
    browser.server.faults.push({ on: "/continue/", kind: "lost response", times: 2 });
    expect(await client.login(step).catch(({ code }) => code)).toBe("offline");
    expect(await client.login(step)).toMatchObject({ status: "authenticated", sessionId: "s1" });
    expect(tab.states).toEqual(["anonymous", "authenticated"]);
    const sent = browser.server.requests.filter(({ line }) => line === "POST /api/token/continue/");
    expect(sent.map(({ body }) => JSON.parse(body))).toEqual([step, step, step]);
    const keys = new Set(sent.map(({ headers }) => headers.get("Idempotency-Key")));
    expect([...keys]).toEqual([expect.stringMatching(/^[\w-]{22}$/)]);
    expect(sent.map(({ headers }) => headers.get("Authorization"))).toEqual([null, null, null]);
    expect(browser.server.sessions.size).toBe(1);
  });

  it("stays logged in if the second step of another login is refused", async () => {
    const { browser, options } = setUp();
    const tab = await browser.openLoggedIn(options);
    const client = tab.client as BearerClient;
    const refusal = await client.login({ ticket: "tpl_x", code: "123456" }).catch((reason) => reason);
    expect(refusal).toMatchObject({ code: "ticket_invalid", status: 401 });
    expect(client.session()).toMatchObject({ status: "authenticated", sessionId: "s1" });
  });

  it("finishes a second step that is running before it logs out, so that it revokes that session", async () => {
    const { browser, options } = setUp();
    browser.server.asksForCode = true;
    const client = browser.openTab(options).client as BearerClient;
    const { body } = await client.login({ username: "alice", password: "secret" }).catch((reason) => reason);
    const running = client.login({ ticket: String(body.ticket), code: "123456" });
    expect(await client.logout()).toEqual({ revoked: true });
    await running;
    expect(client.session().status).toBe("anonymous");
    expect([...browser.server.sessions.values()].map(({ revoked }) => revoked !== null)).toEqual([true]);
  });

  it("sends the access token to the server only, and never a CSRF token", async () => {
    const { browser, options } = setUp();
    const tab = await browser.openLoggedIn(options);
    await tab.client.fetch("/api/orders/", { method: "POST", body: "x" });
    expect(browser.server.requests[0]?.headers.get("Authorization")).toMatch(/^Bearer h\./);
    expect(browser.server.requests[0]?.headers.get("X-CSRFToken")).toBeNull();
    for (const url of ["https://app.example/public/", "https://evil.example/public/"]) {
      await tab.client.fetch(url);
      expect(browser.server.requests.at(-1)?.headers.get("Authorization")).toBeNull();
    }
  });

  it("refreshes in the background with an idempotency key and stores the new tokens", async () => {
    const { browser, vault, options } = setUp();
    await browser.openLoggedIn(options);
    await browser.clock.advance(1_740_100);
    expect(lines(browser)).toEqual(["POST /api/token/refresh/"]);
    expect(JSON.parse(browser.server.requests[0]?.body ?? "")).toEqual({ refresh: "s1:0" });
    expect(browser.server.requests[0]?.headers.get("Idempotency-Key")).toMatch(/^[\w-]{22}$/);
    expect(JSON.stringify([...vault])).toContain("s1:1");
  });

  it("repeats the idempotency key after a lost response and a restart, hours later", async () => {
    const { browser, vault, options } = setUp();
    const tab = await browser.openLoggedIn({ ...options, random: 0.9 });
    browser.server.faults.push({ on: "/refresh/", kind: "lost response" });
    void tab.client.refresh();
    await browser.clock.advance(100);
    tab.client.dispose();
    browser.clock.sleep(5 * 3_600_000);
    const restarted = browser.openTab(options);
    await browser.clock.advance(100);
    expect(restarted.client.session().status).toBe("authenticated");
    expect(JSON.stringify([...vault])).toContain("s1:1");
    const sent = browser.server.requests.map((request) => request.headers.get("Idempotency-Key")).filter(Boolean);
    expect(new Set(sent).size).toBe(1);
  });

  it("refreshes with the refresh token that another process has stored meanwhile", async () => {
    const { browser, options } = setUp();
    const tab = await browser.openLoggedIn(options);
    const other = browser.openTab(options);
    await browser.clock.advance(100);
    void other.client.refresh();
    await browser.clock.advance(60_000);
    void tab.client.refresh();
    await browser.clock.advance(100);
    expect(browser.server.requests.filter(({ body }) => body).at(-1)?.body).toBe('{"refresh":"s1:1"}');
    expect(tab.client.session().status).toBe("authenticated");
  });

  it("keeps the tokens in memory if the storage fails, and doesn't return to the spent refresh token", async () => {
    const { browser, vault, options } = setUp();
    const storage = toStorage(vault);
    let isFull = false;
    const setItem = (key: string, value: string) => {
      if (isFull) throw new Error("full");
      return storage.setItem(key, value);
    };
    const tab = await browser.openLoggedIn({ ...options, storage: { ...storage, setItem } });
    isFull = true;
    void tab.client.refresh();
    await browser.clock.advance(60_000);
    void tab.client.refresh();
    await browser.clock.advance(60_000);
    const bodies = browser.server.requests.map(({ body }) => body).filter(Boolean);
    expect(bodies).toEqual(['{"refresh":"s1:0"}', '{"refresh":"s1:1"}']);
    expect(tab.states).toEqual(["authenticated storage_failed"]);
  });

  it("works with a storage that returns promises", async () => {
    const { browser, vault, options } = setUp();
    const storage = toStorage(vault);
    const tab = await browser.openLoggedIn({
      ...options,
      storage: {
        getItem: async (key) => storage.getItem(key),
        setItem: async (key, value) => storage.setItem(key, value),
        removeItem: async (key) => storage.removeItem(key),
      },
    });
    expect(tab.client.session().status).toBe("authenticated");
    expect(vault.size).toBe(1);
  });

  it("revokes the session at the blacklist endpoint and deletes the tokens", async () => {
    const { browser, vault, options } = setUp();
    const tab = await browser.openLoggedIn(options);
    await tab.client.logout();
    expect(lines(browser)).toEqual(["POST /api/token/blacklist/"]);
    expect(tab.client.session()).toEqual({ status: "anonymous", reason: "logged_out" });
    expect(JSON.stringify([...vault])).not.toMatch(/access|refresh/);
  });

  it("revokes the other sessions, or all, with one call", async () => {
    const { browser, options } = setUp();
    await browser.openLoggedIn(options);
    const tab = await browser.openLoggedIn({ ...options, storage: toStorage(new Map()) });
    await tab.client.logout("others");
    expect(lines(browser)).toEqual(["POST /api/auth/logout/"]);
    expect(browser.server.requests[0]?.body).toBe('{"scope":"others"}');
    expect(browser.server.requests[0]?.headers.get("Authorization")).toMatch(/^Bearer h\./);
    expect(tab.client.session().status).toBe("authenticated");
    expect(await tab.client.logout("all")).toEqual({ revoked: true });
    expect(lines(browser)).toEqual(["POST /api/auth/logout/", "POST /api/auth/logout/"]);
    expect(tab.client.session()).toEqual({ status: "anonymous", reason: "logged_out" });
  });

  it("continues with the new tokens after a change of the password", async () => {
    const { browser, vault, options } = setUp();
    const tab = await browser.openLoggedIn(options);
    await tab.client.changePassword({ currentPassword: "secret", newPassword: "better" });
    expect(JSON.stringify([...vault])).toContain("s1:1");
    expect((await tab.client.fetch("/api/orders/")).status).toBe(200);
  });

  it("never sends a token to other tabs", async () => {
    const { browser, vault, options } = setUp();
    const tab = await browser.openLoggedIn({ ...options, without: [] });
    const readTokens = () => {
      const { access, refresh } = JSON.parse(
        vault.get("tokenpair_20bearer_20https_3a_2f_2fapi.example_2fapi_2fauth") ?? "",
      );
      return [access, refresh];
    };
    const tokens = readTokens();
    void tab.client.refresh();
    await browser.clock.advance(100);
    tokens.push(...readTokens());
    await tab.client.changePassword({ currentPassword: "secret", newPassword: "better" });
    tokens.push(...readTokens());
    await tab.client.logout();
    expect(new Set(tokens).size).toBe(6);
    expect(browser.messages).toHaveLength(5);
    const sent = JSON.stringify(browser.messages);
    expect(tokens.filter((token) => sent.includes(token))).toEqual([]);
    expect(sent).not.toMatch(/"(?:access|refresh)"/);
  });

  it("throws a TypeError that names the missing option if there is no storage, or neither a baseUrl nor a page", () => {
    expect(() => createBearerClient({} as BearerClientOptions)).toThrow(
      new TypeError("storage is missing. See docs/origins.md."),
    );
    expect(() => createBearerClient({ storage: toStorage(new Map()) })).toThrow(
      new TypeError("baseUrl is missing. See docs/origins.md."),
    );
  });
});
