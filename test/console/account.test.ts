/** The page of users, with the demonstration: every part in all colors and widths. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../browser/until.ts";
import { hasLongTests } from "../support/long-tests.ts";
import { type Nodes, openNodes } from "../support/nodes.ts";
import { findBarriers } from "./barriers.ts";
import { arabicName, hostileName, longName, password, symbolName } from "./console-site.ts";
import { openChromium, openPage } from "./staff.ts";

const allColors: readonly (readonly [string, BrowserContextOptions])[] = [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["forced", { forcedColors: "active" }],
];

/** All colors take minutes: `npm run proof -- console`. */
const colors = hasLongTests ? allColors : allColors.slice(0, 1);

describe("the page of users", () => {
  let nodes: Nodes;
  let browser: Browser;
  let origin: string;

  beforeAll(async () => {
    const env = { TOKENPAIR_PAGE: "true", TOKENPAIR_REUSE_INTERVAL: "2" };
    [nodes, browser] = await Promise.all([
      openNodes({ database: "SQLite", servers: 1, env, args: ["--demo"] }),
      openChromium(),
    ]);
    origin = `http://localhost:${nodes.servers[0]?.port}/`;
  });
  afterAll(async () => {
    await browser?.close();
    await nodes?.close();
  });

  async function look(page: Page, what: string): Promise<void> {
    for (const width of [1280, 320]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await findBarriers(page), `${what} at ${width}`).toEqual([]);
    }
  }

  async function logIn(page: Page, username: string): Promise<void> {
    await page.getByLabel("Username").fill(username);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Log in" }).waitFor({ state: "detached" });
  }

  it.each(colors)(
    "has no barriers before the login, in the demonstration and in the account, in %s colors",
    async (color, options) => {
      const name = `user-${color}`;
      await nodes.addUser(name, password);
      const page = await openPage(browser, options);
      await page.goto(origin);
      await page.getByLabel("Username").waitFor();
      await look(page, "login");
      await page.getByRole("button", { name: "Log in" }).click();
      await page.getByText("Please enter your username.").waitFor();
      await look(page, "login with an error");

      await logIn(page, name);
      await page.getByRole("log").waitFor();
      await look(page, "demonstration before");
      await page.getByRole("button", { name: /^Attacker comes late/ }).click();
      await page.getByRole("log").getByText("Copies your refresh token 0").first().waitFor();
      expect(await findBarriers(page), "demonstration meanwhile").toEqual([]);
      await until(async () => /got nothing/.test((await page.locator(".outcome").textContent()) ?? ""));
      await look(page, "demonstration after");
      await page.getByRole("button", { name: /^Start over/ }).click();
      // The line of the first login is gone as soon as the second one has succeeded.
      await until(async () => (await page.locator(".timeline .lane-tab b").allTextContents()).join() === "Logged in");

      await nodes.auth.login({ username: name, password }, { client: { userAgent: "curl/8.5", ip: "203.0.113.4" } });
      await page.goto(`${origin}#account`);
      await page.reload();
      await page.getByRole("heading", { name: "Security history" }).waitFor();
      await page.locator(".devices li").nth(1).waitFor();
      await look(page, "account");
      await page
        .getByRole("button", { name: /^Rename/ })
        .first()
        .click();
      await look(page, "account while a device is renamed");
      await page.getByRole("button", { name: "Change password" }).click();
      await page.getByText("Please enter your current password.").waitFor();
      await look(page, "account with an error");
      await page.getByRole("button", { name: "This wasn't me" }).first().click();
      await page.getByText(/All other devices were logged out/).waitFor();
      await look(page, "account after this wasn't me");
      await page.getByRole("button", { name: "Log out", exact: true }).first().click();
      await page.getByText("You are logged out.").first().waitFor();
      await look(page, "login after a logout");
      await page.context().close();
    },
  );

  it("has no barriers with letters of twice the size", async () => {
    await nodes.addUser("reader", password);
    const page = await openPage(browser);
    await page.goto(origin);
    await logIn(page, "reader");
    await page.getByRole("log").waitFor();
    for (const fragment of ["#try", "#account"]) {
      await page.goto(`${origin}${fragment}`);
      await page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%"));
      for (const width of [1280, 640]) {
        await page.setViewportSize({ width, height: 800 });
        expect(await findBarriers(page), `${fragment} at ${width}`).toEqual([]);
      }
    }
    await page.context().close();
  });

  it.each([hostileName, arabicName, symbolName, longName])(
    "shows the name %s, of a user and of a device, as text",
    async (name) => {
      await nodes.addUser(name, password);
      for (const userAgent of [name, "\u202Egnp.exe", "x".repeat(10_000)]) {
        await nodes.auth.login({ username: name, password }, { client: { userAgent, ip: "203.0.113.4" } });
      }
      const page = await openPage(browser);
      await page.goto(`${origin}#account`);
      await logIn(page, name);
      await page.getByRole("heading", { level: 1, name }).waitFor();
      await page.locator(".devices li").nth(3).waitFor();
      await look(page, name);
      await page
        .getByRole("button", { name: /^Rename/ })
        .first()
        .click();
      await page.getByLabel("Device name").fill(`\u202E${name}`.slice(0, 100));
      await page.keyboard.press("Enter");
      await page.getByLabel("Device name").waitFor({ state: "detached" });
      await look(page, `${name}, with a device of that name`);
      await page.goto(`${origin}#try`);
      await page.getByRole("log").waitFor();
      await look(page, `${name} in the demonstration`);
      expect(await page.title()).not.toBe("hacked");
      await page.context().close();
    },
  );
});
