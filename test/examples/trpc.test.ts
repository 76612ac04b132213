import { resolve } from "node:path";
import { build } from "esbuild";
import type { BrowserContext, Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openBrowser } from "../browser/browsers.ts";
import type { TestBrowser } from "../browser/device.ts";
import { isInstalled, type RunningExample, startExample } from "./running.ts";

const examples = resolve(import.meta.dirname, "../../examples");
const password = "correct horse battery staple";

/** What the page has: the example's client of tRPC, and the client of the session. */
interface TestWindow {
  readonly session: import("../../src/client/index.ts").CookieClient;
  readonly trpc: {
    readonly version: { query(): Promise<string> };
    readonly me: { query(): Promise<string> };
    readonly publish: { mutate(): Promise<string> };
    readonly clock: { subscribe(input: undefined, handlers: object): { unsubscribe(): void } };
  };
  /** The events of the subscription. */
  events: string[];
}

async function bundle(): Promise<string> {
  const contents = `
    import { createClient } from "tokenpair/client";
    import { createTrpc } from "./client.ts";
    const session = createClient();
    Object.assign(window, { session, trpc: createTrpc(session), events: [] });`;
  const stdin = { contents, resolveDir: `${examples}/trpc`, loader: "ts" } as const;
  const { outputFiles } = await build({ stdin, bundle: true, format: "esm", platform: "browser", write: false });
  return outputFiles[0]?.text ?? "";
}

describe.skipIf(!isInstalled("trpc"))("the example for tRPC", () => {
  let example: RunningExample;
  let browser: TestBrowser;
  let page: Page;
  beforeEach(async () => {
    example = await startExample("trpc/server.ts");
    browser = await openBrowser();
    const context = (await browser.device()) as unknown as BrowserContext;
    const body = `<!doctype html><script type="module">${await bundle()}</script>`;
    await context.route(`${example.url}/page`, (route) => route.fulfill({ contentType: "text/html", body }));
    page = await context.newPage();
    await page.goto(`${example.url}/page`);
  });
  afterEach(async () => {
    await browser.close();
    await example.stop();
  });

  /** Runs code in the page. Returns the text of an error instead of throwing it. */
  const run = (code: (window: TestWindow) => unknown): Promise<unknown> =>
    page.evaluate(`(${code})(window).catch((error) => error.data?.code + ": " + error.message)`);
  const logIn = (username: string) =>
    page.evaluate(`session.login({ username: "${username}", password: "${password}" }).then(() => true)`);
  const untilEvent = (pattern: string) => page.waitForFunction(`events.some((event) => /${pattern}/.test(event))`);

  it("protects procedures, checks roles, refreshes a refused token, and ends a subscription at the logout", async () => {
    expect(await run(({ trpc }) => trpc.version.query())).toBe("1");
    expect(await run(({ trpc }) => trpc.me.query())).toMatch(/^UNAUTHORIZED: /);
    await logIn("bob");
    expect(await run(({ trpc }) => trpc.me.query())).toBe("2");
    expect(await run(({ trpc }) => trpc.publish.mutate())).toBe("FORBIDDEN: Only for the role editor.");
    // A 403 that is the application's own is no logout.
    expect(await run(async ({ session }) => session.session().user?.username)).toBe("bob");
    await logIn("alice");
    expect(await run(({ trpc }) => trpc.publish.mutate())).toBe("published by 1");

    // Without the access cookie, the server sends its challenge, and the client refreshes.
    await page.context().clearCookies({ name: /access/ });
    expect(await run(({ trpc }) => trpc.publish.mutate())).toBe("published by 1");

    await run(async ({ trpc, events }) => {
      trpc.clock.subscribe(undefined, {
        onData: (data: string) => events.push(data),
        onError: (error: { data?: { code: string }; message: string }) =>
          events.push(`${error.data?.code}: ${error.message}`),
      });
    });
    await untilEvent("^20");
    await run(async ({ session, events }) => {
      await session.refresh();
      events.length = 0;
    });
    await untilEvent("^20");
    await run(({ session }) => session.logout());
    await untilEvent("^UNAUTHORIZED: logged out$");
    expect(await run(({ trpc }) => trpc.me.query())).toMatch(/^UNAUTHORIZED: /);
    console.log("examples: trpc: roles, a refresh after a refusal, and a subscription that ends at the logout");
  });

  it("refuses a mutation by cookie without the CSRF token, before it runs", async () => {
    await logIn("alice");
    const publish = async () => {
      const headers = { "Content-Type": "application/json" };
      const response = await fetch("/trpc/publish", { method: "POST", headers });
      return `${response.status} ${(await response.json()).error.data.code}`;
    };
    expect(await run(publish)).toBe("403 FORBIDDEN");
  });
});
