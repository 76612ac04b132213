import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Auth, createAuth } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { chromiumBrowser } from "../browser/playwright.ts";
import { gateAddress, startExample } from "./example-server.ts";
import { type NextServer, signingKey } from "./next-server.ts";
import { isPrepared } from "./prepared.ts";
import { count, keysOf, logIn, type Visitor, visit } from "./visitor.ts";

/** An example of examples/server-rendered that a framework has built. */
export interface Example {
  /** The folder of the example, and of its packages. */
  readonly name: string;
  /** The program that serves what was built. */
  readonly program: string;
}

const navigations = 10;

/** The framework's router has begun when nothing is loaded any more. */
const isReady = (page: Page) => page.waitForLoadState("networkidle");

/** Returns the page that the login page leads to. Vue's router changes how it is escaped. */
const toNext = (page: Page) => new URL(page.url()).searchParams.get("next");

/** Drives an example in Chromium. Every example has the same pages: "/", "/login" and "/notes". */
export function testExample(example: Example): void {
  describe.skipIf(!isPrepared(example.name))(`the example for ${example.name}`, () => drive(example));
}

function drive({ name, program }: Example): void {
  let server: NextServer;
  let browser: Browser;
  let auth: Auth;
  let closeStore: () => Promise<void>;
  let visitor: Visitor;

  beforeAll(async () => {
    server = await startExample(name, program);
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
    visitor = await visit(browser, { auth, gate: server.gate, path: "/notes", isReady });
    server.gate.forget();
  });
  afterEach(() => visitor.context.close());

  const at = (path: string) => `${server.gate.origin}${path}`;
  const showsNotes = ({ page, userId }: Visitor) => page.getByRole("heading", { name: `Notes of ${userId}` }).waitFor();
  const add = async ({ page }: Visitor, note: string) => {
    await page.getByLabel("Note").fill(note);
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByRole("listitem").filter({ hasText: note }).waitFor();
  };

  it("leads from a protected page to the login and back", async () => {
    await showsNotes(visitor);
  });

  it("resumes a page in place after the access token has expired, with one refresh", async () => {
    for (let i = 1; i <= navigations; i++) {
      await visitor.leaveAndExpire();
      server.gate.forget();
      await visitor.page.goto(at(`/notes?page=${i}`));
      await showsNotes(visitor);
      expect(visitor.page.url()).toBe(at(`/notes?page=${i}`));
      expect(count(server.gate)).toEqual({ refreshes: 1, documents: 2, logins: 0 });
    }
    console.log(`frameworks: ${name}: ${navigations} navigations with an expired token: 0 logouts, one refresh each`);
  });

  it("repeats what the router loads after the access token has expired", async () => {
    const { page } = visitor;
    await page.goto(at("/"));
    await isReady(page);
    await visitor.expire();
    server.gate.forget();
    await page.getByRole("link", { name: "Notes" }).click();
    await showsNotes(visitor);
    expect(page.url()).toBe(at("/notes"));
    expect(count(server.gate)).toEqual({ refreshes: 1, documents: 0, logins: 0 });
  });

  it("falls back to a document if the global fetch isn't patched", async () => {
    const { context } = visitor;
    const page = await context.newPage();
    await page.addInitScript(() => {
      const { fetch } = window;
      Object.defineProperty(window, "fetch", { get: () => fetch, set: () => undefined });
    });
    await page.goto(at("/"));
    await isReady(page);
    await visitor.expire();
    server.gate.forget();
    await page.getByRole("link", { name: "Notes" }).click();
    await showsNotes({ ...visitor, page });
    expect(page.url()).toBe(at("/notes"));
    expect(count(server.gate)).toEqual({ refreshes: 1, documents: 2, logins: 0 });
  });

  it("sends a form of the framework, also after the access token has expired", async () => {
    await add(visitor, "first");
    await visitor.expire();
    server.gate.forget();
    await add(visitor, "second");
    await visitor.page.getByText("first").waitFor();
    expect(count(server.gate)).toEqual({ refreshes: 1, documents: 0, logins: 0 });
  });

  it("asks to send a form again that the browser itself sent after the access token had expired", async () => {
    const { page } = visitor;
    const submit = async () => {
      await page.getByLabel("Note").fill("by the browser");
      await page
        .locator("form", { has: page.getByLabel("Note") })
        .evaluate((form) => (form as HTMLFormElement).submit());
    };
    await visitor.expire();
    await submit();
    await page.getByText("the form was not sent").waitFor();
    await page.getByRole("link", { name: "Back to the form" }).click();
    await showsNotes(visitor);
    expect(await page.getByRole("listitem").count()).toBe(0);
    await submit();
    await page.getByRole("listitem").filter({ hasText: "by the browser" }).waitFor();
    expect(count(server.gate)).toMatchObject({ refreshes: 1, logins: 0 });
  });

  it("refreshes once for five tabs that open at the same time", async () => {
    const tabs = await Promise.all(Array.from({ length: 5 }, () => visitor.context.newPage()));
    await visitor.expire();
    await Promise.all(tabs.map((tab) => tab.goto(at("/notes"))));
    for (const page of tabs) await showsNotes({ ...visitor, page });
    expect(keysOf(server.gate).length).toBe(1);
    expect(count(server.gate).logins).toBe(0);
  });

  it("leads to the login once after the session was revoked", async () => {
    const { page, userId } = visitor;
    await auth.sessions.revokeAllForUser(userId);
    await page.goto(at("/notes?page=3"));
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    expect(toNext(page)).toBe("/notes?page=3");
    expect(count(server.gate).logins).toBe(1);
  });

  it("leads to the login once if the router finds that the session was revoked", async () => {
    const { page, userId } = visitor;
    await page.goto(at("/"));
    await isReady(page);
    server.gate.forget();
    await auth.sessions.revokeAllForUser(userId);
    await page.getByRole("link", { name: "Notes" }).click();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    expect(toNext(page)).toBe("/notes");
    expect(count(server.gate).logins).toBe(1);
  });

  it("logs out", async () => {
    const { page, userId } = visitor;
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Home" }).waitFor();
    expect(await auth.sessions.list(userId)).toEqual([]);
  });

  it("knows the address of the other end of the connection", async () => {
    const [session] = await auth.sessions.list(visitor.userId);
    expect(session?.ip).toBe(gateAddress);
  });

  it("answers the endpoints with and without a trailing slash", async () => {
    const cookies = await visitor.context.cookies();
    const cookie = cookies.map((one) => `${one.name}=${one.value}`).join("; ");
    for (const path of ["/api/auth/me", "/api/auth/me/"]) {
      const response = await fetch(at(path), { headers: { cookie }, redirect: "manual" });
      expect([path, response.status]).toEqual([path, 200]);
      expect(await response.json()).toMatchObject({ id: visitor.userId });
    }
  });

  it("refuses what isn't a navigation with a 401, and forms of other origins", async () => {
    for (const headers of [{ "Sec-Fetch-Dest": "empty" }, { "Sec-Purpose": "prefetch" }]) {
      const response = await fetch(at("/notes"), { headers: { Accept: "text/html,*/*", ...headers } as never });
      expect(response.status).toBe(401);
      expect(response.headers.get("cache-control")).toContain("no-store");
    }
    const cookies = await visitor.context.cookies();
    const cookie = cookies.map((one) => `${one.name}=${one.value}`).join("; ");
    const others = [{}, { Origin: "https://evil.example" }, { Origin: "null" }, { "Sec-Fetch-Site": "cross-site" }];
    for (const headers of others) {
      const response = await fetch(at("/notes"), {
        method: "POST",
        body: new URLSearchParams({ note: "forged" }),
        headers: { cookie, Accept: "text/html,*/*", ...headers } as never,
        redirect: "manual",
      });
      // React Router answers with a 400.
      expect([400, 403]).toContain(response.status);
    }
    await visitor.page.goto(at("/notes"));
    await showsNotes(visitor);
    expect(await visitor.page.getByText("forged").count()).toBe(0);
  });

  it("protects the data of a page, however its path is spelled", async () => {
    await add(visitor, "a secret");
    const pages = ["/notes", "/%6eotes", "/Notes", "/notes/", "//notes"];
    const data = [
      "/notes/__data.json",
      "/%6eotes/__data.json",
      "/notes.data",
      "/notes.data?_routes=notes",
      "/%6eotes.data",
      "/_root.data?_routes=notes",
    ];
    const routes = ["/api/notes", "/api/%6eotes", "/%61pi/notes", "/API/notes", "/api//notes", "/notes/_payload.json"];
    const cookies = await visitor.context.cookies();
    const cookie = cookies.map((one) => `${one.name}=${one.value}`).join("; ");
    let shown = 0;
    for (const path of [...pages, ...data, ...routes]) {
      for (const destination of ["document", "empty"]) {
        const headers = { Accept: "text/html,*/*", "Sec-Fetch-Dest": destination };
        const response = await fetch(at("").concat(path), { headers: headers as never, redirect: "manual" });
        expect([path, await response.text()]).not.toEqual([path, expect.stringMatching(/a secret|Notes of/)]);
        const own = await fetch(at("").concat(path), { headers: { ...headers, cookie } as never });
        if ((await own.text()).includes("a secret")) shown++;
      }
    }
    expect(shown).toBeGreaterThanOrEqual(4);
  });

  it("keeps redirects on the origin", async () => {
    const headers = { Accept: "text/html,*/*", "Sec-Fetch-Dest": "document" } as never;
    const paths = [
      "//evil.example/notes",
      "/\\evil.example/notes",
      "/notes/..//evil.example",
      "/notes//evil.example",
      "/notes/%2f%2fevil.example",
      "/notes/%5cevil.example?next=//evil.example",
      "/%6eotes",
      "/notes/",
      "/notes?next=https://evil.example",
      "/notes/@evil.example",
    ];
    for (const path of paths) {
      const response = await fetch(at("").concat(path), { headers, redirect: "manual" });
      const location = response.headers.get("location");
      if (location !== null) {
        const url = new URL(location, at("/"));
        expect([path, url.origin]).toEqual([path, server.gate.origin]);
        expect([path, url.searchParams.get("next") ?? "/"]).toEqual([path, expect.stringMatching(/^\/(?![/\\])/)]);
      }
      expect([path, response.status]).not.toEqual([path, 200]);
    }
    const guest = await browser.newContext();
    const page = await guest.newPage();
    const username = `guest-${crypto.randomUUID()}`;
    await auth.users.create({ username, password: "correct horse battery staple" });
    await page.goto(at("/login?next=//evil.example"));
    await logIn(page, username, isReady);
    await page.waitForURL(at("/notes"));
    await guest.close();
  });
}
