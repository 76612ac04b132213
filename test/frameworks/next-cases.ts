import { setTimeout as sleep } from "node:timers/promises";
import { type Browser, chromium } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Auth, createAuth } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { chromiumBrowser } from "../browser/playwright.ts";
import { hasLongTests } from "../support/long-tests.ts";
import { buildNext } from "./next-build.ts";
import { type NextServer, signingKey, startNext } from "./next-server.ts";
import { isPrepared } from "./prepared.ts";
import { count, isActive, keysOf, logIn, password, type Visitor, visit } from "./visitor.ts";

const navigations = hasLongTests ? 50 : 5;

/** Drives the built application of a major of Next in Chromium. */
export function testNext(major: string): void {
  describe.skipIf(!isPrepared(major))(`tokenpair/next in ${major}`, () => drive(major));
}

function drive(major: string): void {
  let server: NextServer;
  let browser: Browser;
  let auth: Auth;
  let closeStore: () => Promise<void>;
  let visitor: Visitor;

  beforeAll(async () => {
    server = await startNext(major);
    const store = sqliteStore(server.database);
    await store.migrate();
    auth = createAuth({ store, signingKey });
    await auth.ready();
    closeStore = () => store.close();
    browser = await chromium.launch(await chromiumBrowser({}).toOptions());
  });
  afterAll(async () => {
    await browser?.close();
    await auth?.close();
    await closeStore?.();
    await server?.stop();
  });
  beforeEach(async () => {
    visitor = await visit(browser, { auth, gate: server.gate });
    server.gate.forget();
  });
  afterEach(() => visitor.context.close());

  const at = (path: string) => `${server.gate.origin}${path}`;
  const shownBy = (page: Visitor["page"]) => page.locator("#server").textContent();

  it("leads from a protected page to the login and back, with one instance and the session that the server knew", async () => {
    const { page, userId } = visitor;
    expect(await shownBy(page)).toBe(`user ${userId}`);
    expect(await page.locator("#server").getAttribute("data-instances")).toBe("1");
    expect(await page.locator("#client").getAttribute("data-first")).toBe("authenticated");
    await page.goto(at("/"));
    expect(await page.locator("#client").getAttribute("data-first")).toBe("authenticated");
  });

  it("shows a page at once after the access token has expired", async () => {
    const { page, userId } = visitor;
    await visitor.leaveAndExpire();
    server.gate.forget();
    await page.goto(at("/account/1?a=1"));
    await page.getByRole("heading", { name: "Page 1" }).waitFor();
    expect(await shownBy(page)).toBe(`user ${userId}`);
    expect(page.url()).toBe(at("/account/1?a=1"));
    expect(count(server.gate)).toEqual({ refreshes: 1, documents: 2, logins: 0 });
  });

  it("sends an action again after the access token has expired", async () => {
    const { page, userId } = visitor;
    for (const name of ["Save", "Save with useAction"]) {
      await visitor.expire();
      server.gate.forget();
      await page.getByRole("button", { name, exact: true }).click();
      await page.getByText(`${userId} saved ${name === "Save" ? "plainly" : "safely"}`).waitFor();
      expect(count(server.gate)).toEqual({ refreshes: 1, documents: 0, logins: 0 });
    }
  });

  it("sends an action again by useAction alone, if the global fetch isn't patched", async () => {
    const { page, userId } = visitor;
    await page.goto(at("/account?unpatched"));
    await isActive(page);
    await visitor.expire();
    await page.getByRole("button", { name: "Save with useAction" }).click();
    await page.getByText(`${userId} saved safely`).waitFor();
    await visitor.expire();
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("failed: tokenpair: not authenticated").waitFor();
  });

  it(`survives ${navigations} navigations with an expired access token, each with one more round trip`, async () => {
    const { page, userId } = visitor;
    for (let i = 1; i <= navigations; i++) {
      await visitor.leaveAndExpire();
      server.gate.forget();
      await page.goto(at(`/account/${i}`));
      await page.getByRole("heading", { name: `Page ${i}`, exact: true }).waitFor();
      expect(await shownBy(page)).toBe(`user ${userId}`);
      expect(count(server.gate)).toEqual({ refreshes: 1, documents: 2, logins: 0 });
    }
    console.log(`frameworks: ${major}: ${navigations} navigations with an expired token: 0 logouts, one refresh each`);
  });

  it(`survives ${navigations} clicks on prefetched links with an expired access token`, async () => {
    const { page, userId } = visitor;
    await page.goto(at("/account/1"));
    let refreshes = 0;
    let documents = 0;
    for (let i = 2; i <= navigations + 1; i++) {
      await visitor.expire();
      server.gate.forget();
      await page.getByRole("link", { name: "Next" }).click();
      await page.getByRole("heading", { name: `Page ${i}`, exact: true }).waitFor();
      expect(await shownBy(page)).toBe(`user ${userId}`);
      const counts = count(server.gate);
      expect(counts.logins).toBe(0);
      expect(counts.refreshes).toBeLessThanOrEqual(1);
      refreshes += counts.refreshes;
      documents += counts.documents;
    }
    console.log(
      `frameworks: ${major}: ${navigations} clicks on links: 0 logouts, ${refreshes} refreshes, ${documents} documents`,
    );
  });

  it("falls back to a document if Next's router gets a 401", async () => {
    const { page, userId } = visitor;
    await page.goto(at("/account/1?unpatched"));
    await visitor.expire();
    await page.getByRole("link", { name: "Next" }).click();
    await page.getByRole("heading", { name: "Page 2", exact: true }).waitFor();
    expect(await shownBy(page)).toBe(`user ${userId}`);
    expect(count(server.gate).logins).toBe(0);
  });

  it("refreshes once for five tabs that open at the same time", async () => {
    const { context, userId } = visitor;
    const tabs = await Promise.all(Array.from({ length: 5 }, () => context.newPage()));
    const keys = new Set<string>();
    let sent = 0;
    for (let i = 1; i <= 10; i++) {
      await visitor.expire();
      server.gate.forget();
      await Promise.all(tabs.map((tab, j) => tab.goto(at(`/account/${i * 10 + j}`))));
      for (const [j, tab] of tabs.entries()) {
        await tab.getByRole("heading", { name: `Page ${i * 10 + j}`, exact: true }).waitFor();
        expect(await shownBy(tab)).toBe(`user ${userId}`);
      }
      const counts = count(server.gate);
      expect(counts.logins).toBe(0);
      expect(counts.documents).toBeLessThanOrEqual(10);
      for (const key of keysOf(server.gate)) keys.add(key);
      sent += counts.refreshes;
    }
    // A tab that is left while it refreshes loses the response: the next page repeats it with the same key.
    expect(keys.size).toBe(10);
    console.log(`frameworks: ${major}: 5 tabs, 10 expiries: 0 logouts, ${keys.size} refreshes, sent ${sent} times`);
  });

  it("survives a lost response to a refresh that a document request follows", async () => {
    const { page, userId } = visitor;
    await visitor.expire();
    server.gate.loseNext("/api/auth/refresh/");
    await page.goto(at("/account/7"));
    await page.getByRole("heading", { name: "Page 7" }).waitFor();
    expect(await shownBy(page)).toBe(`user ${userId}`);
    expect(count(server.gate)).toMatchObject({ refreshes: 2, logins: 0 });
    expect((await auth.sessions.list(userId)).length).toBe(1);
  });

  it("leads to the login once after the session was revoked", async () => {
    const { page, userId } = visitor;
    await auth.sessions.revokeAllForUser(userId);
    await page.goto(at("/account/3"));
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    expect(page.url()).toBe(at("/login?next=%2Faccount%2F3"));
    expect(count(server.gate).logins).toBe(1);
  });

  it("renders who is logged in on a public page that resumes", async () => {
    const { page, userId } = visitor;
    await visitor.expire();
    await page.goto(at("/"));
    await page.getByText(`user ${userId}`).waitFor();
    await visitor.expire();
    server.gate.forget();
    await page.goto(at("/public"));
    await page.getByRole("heading", { name: "Public" }).waitFor();
    expect(count(server.gate).documents).toBe(1);
  });

  it("shows a link to the login page without JavaScript", async () => {
    const cookies = await visitor.context.cookies();
    const plain = await browser.newContext({ javaScriptEnabled: false });
    await plain.addCookies(cookies.filter(({ name }) => !name.includes("access")));
    const page = await plain.newPage();
    await page.goto(at("/account/1"));
    expect(await page.getByRole("link", { name: "Log in" }).first().getAttribute("href")).toMatch(/^\/login/);
    await plain.close();
  });

  it("refuses what isn't a document with a 401, and actions of other origins", async () => {
    const { page, context } = visitor;
    for (const headers of [{ RSC: "1" }, { "Next-Router-Prefetch": "1", RSC: "1" }, { "Sec-Purpose": "prefetch" }]) {
      const response = await fetch(at("/account"), { headers: { ...headers, "Sec-Fetch-Dest": "empty" } as never });
      expect(response.status).toBe(401);
      expect(response.headers.get("cache-control")).toContain("no-store");
    }
    const sent = page.waitForRequest((request) => request.headers()["next-action"] !== undefined);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    const request = await sent;
    await page.getByText("saved plainly").waitFor();
    const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    const { "next-action": id = "", "content-type": type = "", accept = "" } = request.headers();
    const send = async (headers: Record<string, string>) => {
      const all = { cookie, "Next-Action": id, "Content-Type": type, Accept: accept, ...headers };
      const response = await fetch(at("/account"), { method: "POST", body: request.postData(), headers: all });
      return response.text();
    };
    expect(await send({ Origin: server.gate.origin })).toContain("saved plainly");
    for (const headers of [
      {},
      { Origin: "https://evil.example" },
      { Origin: "null" },
      { Origin: server.gate.origin.replace("http:", "https:").replace("localhost", "localhost.evil.example") },
    ]) {
      expect(await send(headers as Record<string, string>)).not.toContain("saved");
    }
  });

  it("requires the CSRF token in route handlers, which the client adds", async () => {
    const { page, context, userId } = visitor;
    expect((await fetch(at("/api/whoami"))).status).toBe(401);
    const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    expect((await fetch(at("/api/whoami"), { method: "POST", headers: { cookie } })).status).toBe(403);
    await visitor.expire();
    const answer = await page.evaluate(async () => (await fetch("/api/whoami", { method: "POST" })).json());
    expect(answer).toEqual({ userId });
  });

  it("keeps redirects on the origin", async () => {
    const html = { Accept: "text/html,*/*", "Sec-Fetch-Dest": "document" } as never;
    const paths = [
      "//evil.example/account",
      "/\\evil.example/account",
      "/account/..//evil.example",
      "/account//evil.example",
      "/account/%2f%2fevil.example",
      "/account/%5cevil.example?next=//evil.example",
      "/%61ccount",
      "/account?next=https://evil.example",
      "/account/@evil.example",
    ];
    for (const path of paths) {
      const response = await fetch(at("").concat(path), { headers: html, redirect: "manual" });
      const location = response.headers.get("location");
      if (location !== null) expect(new URL(location, at("/")).origin).toBe(server.gate.origin);
      const next = location === null ? null : new URL(location, at("/")).searchParams.get("next");
      if (next !== null) expect(next).toMatch(/^\/(?![/\\])/);
      expect(response.status).not.toBe(200);
    }
    const { page } = visitor;
    await visitor.context.clearCookies();
    await page.goto(at("/login?next=//evil.example"));
    const username = `evil-${major}`;
    await auth.users.create({ username, password });
    await logIn(page, username, isActive);
    await page.waitForURL(at("/"));
  });

  it.runIf(hasLongTests)(
    "survives a response to a refresh that was lost 11 seconds before, after the reuse interval",
    async () => {
      const { page, context, userId } = visitor;
      await visitor.expire();
      server.gate.loseAll("/api/auth/refresh/");
      await page.goto(at("/account/8"));
      await expect.poll(() => count(server.gate).refreshes).toBeGreaterThan(0);
      await page.close();
      server.gate.loseAll(undefined);
      await sleep(11_000);
      const later = await context.newPage();
      await later.goto(at("/account/8"));
      await later.getByRole("heading", { name: "Page 8" }).waitFor();
      expect(await shownBy(later)).toBe(`user ${userId}`);
      expect((await auth.sessions.list(userId)).length).toBe(1);
      console.log(`frameworks: ${major}: the response to a refresh was lost 11 s before: the session survived`);
    },
  );

  describe.runIf(hasLongTests).each(["true", "false"])("with trailingSlash: %s and Next's redirects", (slash) => {
    let other: NextServer;

    beforeAll(async () => {
      buildNext(major, `slash-${slash}`, { TRAILING_SLASH: slash });
      other = await startNext(major, `slash-${slash}`);
    });
    afterAll(() => other?.stop());

    it("logs in, refreshes and keeps the method of every request", async () => {
      const store = sqliteStore(other.database);
      await store.migrate();
      const users = createAuth({ store, signingKey });
      await users.ready();
      const end = slash === "true" ? "/" : "";
      const guest = await visit(browser, { auth: users, gate: other.gate, path: `/account${end}` });
      await guest.expire();
      other.gate.forget();
      await guest.page.goto(`${other.gate.origin}/account/4${end}`);
      await guest.page.getByRole("heading", { name: "Page 4" }).waitFor();
      const refreshes = other.gate.passed.filter(({ url }) => url.startsWith("/api/auth/refresh"));
      // Without the setting skipTrailingSlashRedirect, Next redirects what has the other form. A 308 keeps the method.
      expect(refreshes.map(({ method, status }) => `${method} ${status}`)).toEqual(
        slash === "true" ? ["POST 200"] : ["POST 308", "POST 200"],
      );
      await guest.context.close();
      await users.close();
      await store.close();
    });
  });
}
