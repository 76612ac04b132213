import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Auth } from "../../src/index.ts";
import type { Gate } from "./gate.ts";

/** The password of every user. */
export const password = "correct horse battery staple";

/** A browser in which a user of the application is logged in. */
export interface Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly userId: string;
  /** Deletes the access cookie, as browsers do when its token expires. */
  readonly expire: () => Promise<void>;
  /** Leaves the page, whose client could refresh the session at any time, and then deletes the access cookie. */
  readonly leaveAndExpire: () => Promise<void>;
}

/** Creates a user, and logs in by the application's form, from a protected page that was asked for. */
export async function visit(
  browser: Browser,
  {
    auth,
    gate,
    path = "/account",
    isReady = isActive,
  }: {
    readonly auth: Auth;
    readonly gate: Gate;
    readonly path?: string;
    /** Waits until a page has become interactive. Default: `isActive`. */
    readonly isReady?: (page: Page) => Promise<void>;
  },
): Promise<Visitor> {
  const username = `user-${crypto.randomUUID()}`;
  const { id: userId } = await auth.users.create({ username, password });
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${gate.origin}${path}`);
  await logIn(page, username, isReady);
  await page.waitForURL(`${gate.origin}${path}`);
  await isReady(page);
  const expire = () => context.clearCookies({ name: "__Host-Http-access" });
  const leaveAndExpire = async () => {
    await page.goto("about:blank");
    await expire();
  };
  return { context, page, userId, expire, leaveAndExpire };
}

/** Fills in and sends the form of a login page. */
export async function logIn(page: Page, username: string, isReady: (page: Page) => Promise<void>): Promise<void> {
  await isReady(page);
  await page.getByLabel("Name").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

/** Waits until the page has become interactive. */
export async function isActive(page: Page): Promise<void> {
  await page.locator("#client[data-active=true]").waitFor();
}

/** Returns the idempotency keys of the refreshes since `forget`: a repeated one is the same refresh, after a lost response. */
export function keysOf(gate: Gate): readonly string[] {
  const refreshes = gate.passed.filter(({ method, url }) => method === "POST" && url.startsWith("/api/auth/refresh"));
  return [...new Set(refreshes.map(({ headers }) => String(headers["idempotency-key"])))];
}

/** What the gate has passed since `forget`. */
export function count(gate: Gate): { readonly refreshes: number; readonly documents: number; readonly logins: number } {
  const of = (pattern: RegExp) => gate.passed.filter(({ method, url }) => pattern.test(`${method} ${url}`)).length;
  const documents = gate.passed.filter(({ headers }) => headers["sec-fetch-dest"] === "document").length;
  return { refreshes: of(/^POST \/api\/auth\/refresh\//), documents, logins: of(/^GET \/login/) };
}
