import { describe, expect, it } from "vitest";
import { createBearerClient } from "../../src/client/bearer/index.ts";
import type { KeyValueStorage } from "../../src/client/environment.ts";
import { createFakeBrowser, type FakeBrowser, type TabOptions, toStorage } from "./fake-browser.ts";

/** A storage like Expo's SecureStore: asynchronous, only some keys, at most 2,048 bytes in a value, and it can fail. */
function createSecureStore(vault = new Map<string, string>()) {
  const fails = { getItem: false, setItem: false, removeItem: false };
  async function call<T>(method: keyof KeyValueStorage, key: string, run: () => T, value = ""): Promise<T> {
    await Promise.resolve();
    if (fails[method]) throw new Error("The keychain is locked.");
    if (!/^[\w.-]+$/.test(key)) throw new Error(`Invalid key provided to SecureStore: ${key}`);
    if (Buffer.byteLength(value) > 2048) throw new Error("The value is too large.");
    return run();
  }
  const storage: KeyValueStorage = {
    getItem: (key) => call("getItem", key, () => vault.get(key) ?? null),
    setItem: (key, value) => call("setItem", key, () => void vault.set(key, value), value),
    removeItem: (key) => call("removeItem", key, () => void vault.delete(key)),
  };
  return { vault, fails, storage };
}

/** What a native app has: no page, and no tabs. */
const app: TabOptions = {
  random: 0.5,
  baseUrl: "https://api.example",
  without: ["page", "storage", "openChannel", "locks"],
};

function setUp() {
  const browser = createFakeBrowser();
  const store = createSecureStore();
  return { browser, store, options: { ...app, storage: store.storage } };
}

const restart = async (browser: FakeBrowser, options: TabOptions) => {
  const tab = browser.openTab(options);
  await browser.clock.advance(100);
  return tab;
};

describe("the bearer client over a storage like Expo's SecureStore", () => {
  it("keeps the session across restarts of the app", async () => {
    const { browser, store, options } = setUp();
    const tab = await browser.openLoggedIn(options);
    void tab.client.refresh();
    await browser.clock.advance(100);
    tab.client.dispose();
    expect(tab.client.session().problem).toBeUndefined();
    const restarted = await restart(browser, options);
    expect(restarted.client.session()).toMatchObject({ status: "authenticated", sessionId: "s1" });
    expect(JSON.stringify([...store.vault])).toContain("s1:1");
  });

  it("keeps the session across restarts although the access token is too large for a value", async () => {
    const { browser, store, options } = setUp();
    browser.server.claims = { roles: Array.from({ length: 300 }, (_, at) => `role-${at}`) };
    const tab = await browser.openLoggedIn(options);
    expect((await tab.client.fetch("/api/orders/")).status).toBe(200);
    expect(browser.server.count("POST /api/token/refresh/")).toBe(0);
    expect(tab.client.session().problem).toBeUndefined();
    tab.client.dispose();
    const restarted = await restart(browser, options);
    expect(restarted.client.session()).toEqual({
      status: "authenticated",
      user: { id: "1", username: "alice" },
      sessionId: "s1",
    });
    expect((await restarted.client.fetch("/api/orders/")).status).toBe(200);
    expect(browser.server.count("POST /api/token/refresh/")).toBe(1);
    expect(Math.max(...[...store.vault.values()].map((value) => value.length))).toBeLessThanOrEqual(2_000);
  });

  it("rejects a login before it sends the password if the storage doesn't work", async () => {
    const { browser, store, options } = setUp();
    const tab = await restart(browser, options);
    store.fails.setItem = true;
    const login = tab.client.login({ username: "alice", password: "secret" });
    await expect(login).rejects.toMatchObject({
      name: "ClientError",
      code: "storage_failed",
      cause: new Error("The keychain is locked."),
    });
    expect(browser.server.requests).toEqual([]);
    expect(tab.client.session()).toEqual({ status: "anonymous", problem: "storage_failed" });
    store.fails.setItem = false;
    await tab.client.login({ username: "alice", password: "secret" });
    expect(tab.client.session()).toMatchObject({ status: "authenticated", user: { username: "alice" } });
    expect(tab.client.session().problem).toBeUndefined();
  });

  it("shows the problem as long as new tokens can't be stored, and recovers after a restart", async () => {
    const { browser, store, options } = setUp();
    const tab = await browser.openLoggedIn(options);
    browser.server.faults.push({ on: "/refresh/", kind: "lost response" });
    void tab.client.refresh();
    await browser.clock.advance(0);
    store.fails.setItem = true;
    await browser.clock.advance(60_000);
    expect(tab.client.session()).toMatchObject({ status: "authenticated", problem: "storage_failed" });
    expect((await tab.client.fetch("/api/orders/")).status).toBe(200);
    tab.client.dispose();
    store.fails.setItem = false;
    // The stored idempotency key gets the tokens that couldn't be stored.
    browser.clock.sleep(2 * 3_600_000);
    const restarted = await restart(browser, options);
    expect(restarted.client.session()).toMatchObject({ status: "authenticated", sessionId: "s1" });
    expect(restarted.client.session().problem).toBeUndefined();
  });

  it("repeats a request after a refresh although the new tokens can't be stored", async () => {
    const { browser, store, options } = setUp();
    const tab = await browser.openLoggedIn(options);
    store.fails.setItem = true;
    const challenge = { "WWW-Authenticate": "Bearer" };
    browser.server.faults.push({ on: "/orders/", kind: new Response("{}", { status: 401, headers: challenge }) });
    const response = tab.client.fetch("/api/orders/");
    await browser.clock.advance(100);
    expect((await response).status).toBe(200);
    expect(tab.client.session()).toMatchObject({ status: "authenticated", problem: "storage_failed" });
  });

  it("isn't anonymous but keeps trying if the storage can't be read at the start", async () => {
    const { browser, store, options } = setUp();
    const tab = await browser.openLoggedIn(options);
    tab.client.dispose();
    store.fails.getItem = true;
    const restarted = await restart(browser, options);
    expect(restarted.client.session()).toEqual({ status: "loading", problem: "storage_failed" });
    store.fails.getItem = false;
    await browser.clock.advance(120_000);
    expect(restarted.client.session()).toMatchObject({ status: "authenticated", sessionId: "s1" });
    expect(restarted.client.session().problem).toBeUndefined();
  });

  it("separates two servers in one storage", async () => {
    const { browser, options } = setUp();
    await browser.openLoggedIn(options);
    const other = await restart(browser, { ...options, authPath: "/api_2fauth" });
    expect(other.client.session()).toEqual({ status: "anonymous" });
  });

  it("moves the session that version 0.1 has stored under another key", async () => {
    const browser = createFakeBrowser();
    const vault = new Map<string, string>();
    const options = { ...app, storage: toStorage(vault) };
    const tab = await browser.openLoggedIn(options);
    tab.client.dispose();
    const [[name, record] = ["", ""]] = vault;
    vault.delete(name);
    vault.set("tokenpair bearer https://api.example/api/auth", record);
    const upgraded = await restart(browser, options);
    expect(upgraded.client.session()).toMatchObject({ status: "authenticated", sessionId: "s1" });
    expect([...vault.keys()]).toEqual([name]);
  });
});

describe("the bearer client in an environment like React Native's", () => {
  it("fails at creation and names the page with what to import if there are no random numbers", () => {
    const create = () => createFakeBrowser().openTab({ ...app, storage: toStorage(new Map()), lacksRandomBytes: true });
    expect(create).toThrow(new TypeError("crypto.getRandomValues, URL or atob is missing. See docs/origins.md."));
  });

  it.each(["crypto", "URL", "atob"] as const)("fails at creation without a global %s, and works with it", (name) => {
    const options = {
      baseUrl: "https://api.example",
      storage: toStorage(new Map()),
      fetch: async () => new Response(),
    };
    const original = Object.getOwnPropertyDescriptor(globalThis, name) as PropertyDescriptor;
    Object.defineProperty(globalThis, name, { value: undefined, configurable: true, writable: true });
    try {
      expect(() => createBearerClient(options)).toThrow(/^crypto.getRandomValues, URL or atob is missing/);
    } finally {
      Object.defineProperty(globalThis, name, original);
    }
    createBearerClient(options).dispose();
  });
});
