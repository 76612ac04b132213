import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chromiumBrowser } from "../browser/playwright.ts";
import { until } from "../browser/until.ts";
import { findFreePort } from "../support/free-port.ts";
import { client, type IdentityProvider, startIdentityProvider } from "./identity-provider.ts";
import { isInstalled, type RunningExample, startExample } from "./running.ts";

/** What the example says about the user who is logged in. */
interface Account {
  readonly userId: string;
  readonly amr: readonly string[];
  readonly authTime: number;
}

describe.skipIf(!isInstalled("logins"))("the example of OIDC", () => {
  let browser: Browser;
  let provider: IdentityProvider;
  let example: RunningExample;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    const { type, toOptions } = chromiumBrowser({});
    browser = await type.launch(await toOptions());
    const port = await findFreePort();
    provider = await startIdentityProvider(`http://localhost:${port}/login/callback`);
    example = await startExample("logins/oidc.ts", { ...client, ISSUER: provider.issuer, PORT: `${port}` });
  });
  afterAll(async () => {
    await browser?.close();
    await example?.stop();
    await provider?.stop();
  });
  beforeEach(async () => {
    context = await browser.newContext();
    page = await context.newPage();
  });
  afterEach(() => context.close());

  /** Logs in at the provider, and consents. */
  async function logInAs(name: string, path = "/login"): Promise<void> {
    await page.goto(`${example.url}${path}`);
    await page.fill("[name=login]", name);
    await page.fill("[name=password]", "any");
    await page.click("[type=submit]");
    await page.click("[type=submit]");
  }
  const see = (text: string) => page.getByText(text, { exact: true }).waitFor();
  const account = async () => {
    const response = await context.request.get(`${example.url}/account`);
    return response.ok() ? ((await response.json()) as Account) : null;
  };
  /** Logs in, so that the provider knows the browser from now on, and takes away what the example's server has set. */
  async function logInAtProviderAs(name: string): Promise<void> {
    await logInAs(name);
    await see(`Member ${name} is logged in`);
    await context.clearCookies({ domain: "localhost" });
  }
  /** Follows the redirects of a login up to the callback, and returns its address. `change` may change each address. */
  async function findCallback(
    change: (url: URL) => unknown = () => {},
    from = "/login?next=/account",
  ): Promise<string> {
    for (let url = new URL(from, example.url); ; ) {
      change(url);
      if (url.pathname === "/login/callback") return url.href;
      const response = await context.request.get(url.href, { maxRedirects: 0 });
      url = new URL(response.headers()["location"] ?? "", url);
    }
  }

  it("logs in, finds the same user again, and logs out", async () => {
    await logInAs("alice");
    await see("Member alice is logged in");
    const first = await account();
    expect(first?.amr).toEqual(["oidc"]);
    const authTime = first?.authTime ?? Number.NaN;
    expect(Math.abs(authTime - Date.now() / 1_000)).toBeLessThan(60);
    await page.click("#logout");
    await see("anonymous");
    expect(await account()).toBeNull();

    // The provider remembers alice, so she isn't authenticated again.
    await until(async () => Date.now() / 1_000 > authTime + 2);
    await page.click("#login");
    await see("Member alice is logged in");
    expect(await account()).toEqual(first);

    await context.clearCookies();
    await logInAs("bob");
    await see("Member bob is logged in");
    expect((await account())?.userId).not.toBe(first?.userId);
    console.log("examples: oidc: logs in, finds the same user again, and logs out");
  });

  it.each([
    ["/account?from=login", "/account?from=login"],
    ["//evil.example/", "/"],
  ])("shows the page of next=%s after the login, if it is of the same origin", async (next, path) => {
    await logInAs("carol", `/login?next=${encodeURIComponent(next)}`);
    await page.waitForURL(`${example.url}${path}`);
  });

  it("logs in although the answer to the callback was lost", async () => {
    await logInAtProviderAs("dave");
    const callback = await findCallback();
    const cookies = (await context.cookies(callback)).map(({ name, value }) => `${name}=${value}`);
    const lost = await fetch(callback, { headers: { Cookie: cookies.join("; ") }, redirect: "manual" });
    expect([lost.status, lost.headers.get("Location")]).toEqual([303, "/account"]);
    await page.goto(callback);
    // The provider revokes what it has issued for a code that it gets twice, so it asks again for consent, but for no password.
    expect(await page.locator("[name=password]").count()).toBe(0);
    await page.click("[type=submit]");
    await page.waitForURL(`${example.url}/account`);
    expect(await account()).not.toBeNull();
    console.log("examples: oidc: logs in although an answer was lost");
  });

  it.each<[string, (url: URL) => unknown]>([
    ["another state", ({ pathname, searchParams }) => pathname === "/login/callback" && searchParams.set("state", "x")],
    [
      "the issuer of another provider",
      ({ searchParams }) => searchParams.has("iss") && searchParams.set("iss", "http://evil.example"),
    ],
    [
      "an ID token with another nonce",
      ({ searchParams }) => searchParams.has("nonce") && searchParams.set("nonce", "x"),
    ],
  ])("refuses %s", async (_, change) => {
    await logInAtProviderAs("eve");
    const callback = await findCallback(change);
    const response = await context.request.get(callback, { maxRedirects: 0 });
    expect(response.status()).toBe(400);
    expect(response.headers()["set-cookie"]).toBeUndefined();
    expect(await account()).toBeNull();
  });

  it("refuses a code of another verifier, and begins again only once", async () => {
    await logInAtProviderAs("eve");
    const change = ({ searchParams }: URL) =>
      searchParams.has("code_challenge") && searchParams.set("code_challenge", "x".repeat(43));
    const first = await context.request.get(await findCallback(change), { maxRedirects: 0 });
    expect(first.headers()["location"]).toContain(provider.issuer);
    const second = await findCallback(change, first.headers()["location"]);
    expect((await context.request.get(second, { maxRedirects: 0 })).status()).toBe(400);
    expect(await account()).toBeNull();
  });

  it("refuses the callback of a login that another browser has begun", async () => {
    await logInAtProviderAs("mallory");
    const callback = await findCallback();
    const victim = await browser.newContext();
    const response = await victim.request.get(callback, { maxRedirects: 0 });
    expect(response.status()).toBe(400);
    expect(response.headers()["set-cookie"]).toBeUndefined();
    await victim.close();
  });
});
