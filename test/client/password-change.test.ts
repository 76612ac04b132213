import { describe, expect, it } from "vitest";
import { createFakeBrowser, type FakeBrowser, type TabOptions, toStorage } from "./fake-browser.ts";
import type { Fault } from "./fake-server-types.ts";

const line = "POST /api/auth/password/";
const passwords = { currentPassword: "secret", newPassword: "better" };

const keysOf = ({ server }: FakeBrowser) =>
  server.requests.filter((request) => request.line === line).map(({ headers }) => headers.get("Idempotency-Key"));

const clients: readonly (readonly [string, () => TabOptions])[] = [
  ["a cookie client", () => ({})],
  ["a cookie client of another origin", () => ({ baseUrl: "https://api.example" })],
  ["a bearer client", () => ({ storage: toStorage(new Map()), baseUrl: "https://api.example" })],
];

describe.each(clients)("the password change of %s", (_, toOptions) => {
  it.each<[string, Fault["kind"]]>([
    ["was lost", "lost response"],
    ["came from a gateway that had given up", new Response("<h1>Gateway timeout</h1>", { status: 504 })],
    ["did not come in time", 12_000],
  ])("is sent again with the same idempotency key if the response %s, and counts once", async (_case, kind) => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ ...toOptions(), random: 0.5 });
    browser.server.faults.push({ on: "/password/", kind });
    const change = tab.client.changePassword(passwords);
    await browser.clock.advance(30_000);
    await change;
    const keys = keysOf(browser);
    expect(keys).toEqual([expect.stringMatching(/^[\w-]{22}$/), keys[0]]);
    expect(browser.server.sessions.get("s1")).toMatchObject({ epoch: 1, generation: 1 });
    expect((await tab.client.fetch("/api/orders/", { method: "POST", body: "x" })).status).toBe(200);
    await browser.clock.advance(1_800_000);
    expect(tab.client.session()).toMatchObject({ status: "authenticated", user: { username: "alice" } });
    expect(tab.states).toEqual([]);
  });

  it("gets the answer of the first time when the user repeats it, although a refresh was refused meanwhile", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ ...toOptions(), random: 0.5 });
    browser.server.faults.push({ on: "/password/", kind: "lost response", times: 2 });
    const lost = expect(tab.client.changePassword(passwords)).rejects.toMatchObject({ code: "offline" });
    await browser.clock.advance(100);
    await lost;
    const refreshed = tab.client.refresh();
    await browser.clock.advance(100);
    expect((await refreshed).problem).toBe("refused");
    const repeated = tab.client.changePassword(passwords);
    await browser.clock.advance(100);
    await repeated;
    expect(new Set(keysOf(browser)).size).toBe(1);
    expect(browser.server.sessions.get("s1")?.epoch).toBe(1);
    expect((await tab.client.fetch("/api/orders/", { method: "POST", body: "x" })).status).toBe(200);
    expect(tab.client.session()).toMatchObject({ status: "authenticated", sessionId: "s1" });
  });

  it("has another idempotency key for other passwords, and after each change that was answered", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn(toOptions());
    const change = (currentPassword: string, newPassword: string) =>
      Promise.all([tab.client.changePassword({ currentPassword, newPassword }), browser.clock.advance(0)]);
    browser.server.faults.push({ on: "/password/", kind: "offline", times: 2 });
    await expect(change("secret", "better")).rejects.toMatchObject({ code: "offline" });
    await change("secret", "best");
    await change("best", "secret");
    await change("secret", "best");
    const keys = keysOf(browser);
    expect([keys.length, new Set(keys).size]).toEqual([3, 3]);
    expect(browser.server.sessions.get("s1")?.epoch).toBe(3);
  });

  it("isn't sent again if the server has refused it", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn(toOptions());
    const change = tab.client.changePassword({ currentPassword: "wrong", newPassword: "better" });
    await expect(Promise.all([change, browser.clock.advance(0)])).rejects.toMatchObject({ code: "invalid" });
    expect(browser.server.count(line)).toBe(1);
  });
});

describe("a password change whose response was lost", () => {
  it("isn't sent again, and has no idempotency key, if there are no random numbers", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ lacksRandomBytes: true });
    browser.server.faults.push({ on: "/password/", kind: "lost response" });
    const change = tab.client.changePassword(passwords);
    await expect(Promise.all([change, browser.clock.advance(0)])).rejects.toMatchObject({ code: "offline" });
    expect(keysOf(browser)).toEqual([null]);
  });

  it("isn't sent again for the session of another user who has logged in meanwhile", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    browser.server.latency = 10;
    browser.server.faults.push({ on: "/password/", kind: "lost response" });
    const change = expect(tab.client.changePassword(passwords)).rejects.toMatchObject({ code: "session_changed" });
    await browser.clock.advance(35); // the CSRF token is known, and the request is under way
    browser.server.latency = 0;
    await browser.logInElsewhere("bob");
    await browser.clock.advance(100);
    await change;
    expect(browser.server.sessions.get("s2")?.epoch).toBe(0);
    expect(tab.client.session()).toMatchObject({ user: { username: "bob" } });
  });

  it("isn't sent again after a logout of the bearer client", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ storage: toStorage(new Map()), baseUrl: "https://api.example" });
    browser.server.faults.push({ on: "/password/", kind: "hang" });
    const change = expect(tab.client.changePassword(passwords)).rejects.toMatchObject({ code: "session_changed" });
    await browser.clock.advance(100);
    const logout = tab.client.logout();
    await browser.clock.advance(100);
    await Promise.all([change, logout]);
    expect(browser.server.count(line)).toBe(0);
    expect(tab.client.session()).toEqual({ status: "anonymous", reason: "logged_out" });
  });
});
