import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../browser/until.ts";
import { findBarriers } from "./barriers.ts";
import { arabicName, type ConsoleSite, hostileName, longName, openConsoleSite, password } from "./console-site.ts";
import { logInAs, openChromium, seePage, tabTo } from "./staff.ts";

describe("the console, by keyboard", () => {
  let site: ConsoleSite;
  let browser: Browser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([openConsoleSite(), openChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  const idOf = (name: string) => site.ids.get(name) ?? "";
  const liveSessionsOf = async (name: string) => (await site.nodes.auth.sessions.list(idOf(name))).length;
  const readAudit = async (type: string) =>
    (await site.nodes.auth.audit.list({ limit: 1_000 })).entries.filter((entry) => entry.type === type);

  it("revokes the sessions of a stolen laptop in three actions after the login, and says that it is confirmed", async () => {
    const page = await logInAs(browser, site, "ada", { path: "users" });
    await seePage(page, "Users");
    expect(await liveSessionsOf("grace")).toBe(3);
    // 1: find the user.
    await tabToLabel(page, "Search");
    await page.keyboard.type("gra");
    await until(async () => (await page.locator("tbody tr").count()) === 1);
    await page.keyboard.press("Enter");
    await seePage(page, "grace");
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
    // 2: choose what to do.
    await tabTo(page, "button", "Log out everywhere…");
    await page.keyboard.press("Enter");
    await page.getByRole("alertdialog", { name: "Log out grace everywhere?" }).waitFor();
    // 3: say why.
    await page.keyboard.type("laptop stolen, ticket 4411");
    await page.keyboard.press("Enter");
    await page.getByText("3 sessions of grace revoked.").first().waitFor();
    expect(await liveSessionsOf("grace")).toBe(0);
    await page.getByRole("alertdialog").waitFor({ state: "detached" });
    await until(() => isFocused(page, "Log out everywhere…"));
    const [entry] = (await readAudit("sessions_revoked")).filter(({ userId }) => userId === idOf("grace"));
    expect(entry).toMatchObject({ actor: "staff/ada", note: "laptop stolen, ticket 4411" });
    expect(await findBarriers(page)).toEqual([]);
    await page.context().close();
  });

  it("asks for the password again if the login is more than ten minutes old, and keeps the reason", async () => {
    const page = await logInAs(browser, site, "ada", { path: `users/${idOf("linus")}` });
    await seePage(page, "linus");
    await makeLoginOld(site, page, idOf("ada"));
    await page.reload();
    await seePage(page, "linus");
    await tabTo(page, "button", "Disable…");
    await page.keyboard.press("Enter");
    await page.getByRole("alertdialog").waitFor();
    await page.keyboard.type("left the company");
    await page.keyboard.press("Tab");
    await page.keyboard.type("not my password");
    await page.keyboard.press("Enter");
    await page.getByText("The password is wrong.").waitFor();
    expect(await findBarriers(page)).toEqual([]);
    expect(await page.getByLabel("Reason").inputValue()).toBe("left the company");
    await page.getByLabel("Your password").fill(password);
    await page.keyboard.press("Enter");
    await page.getByText("linus is disabled.").first().waitFor();
    await page.getByText(/^Confirmed · /).waitFor();
    await page.getByText("disabled", { exact: true }).first().waitFor();
    await page.context().close();
  });

  it("opens, moves in and closes a menu, and gives the focus back", async () => {
    const page = await logInAs(browser, site, "ada", { path: "users" });
    await seePage(page, "Users");
    await tabTo(page, "button", "Actions for sam");
    await page.keyboard.press("ArrowDown");
    await until(() => isFocused(page, "Log out everywhere…"));
    await page.keyboard.press("ArrowUp");
    expect(await isFocused(page, "Disable…")).toBe(true);
    await page.keyboard.press("ArrowDown");
    expect(await isFocused(page, "Log out everywhere…")).toBe(true);
    await page.keyboard.press("u");
    expect(await isFocused(page, "Unlock…")).toBe(true);
    await page.keyboard.press("End");
    expect(await isFocused(page, "Disable…")).toBe(true);
    await page.keyboard.press("Escape");
    expect(await isFocused(page, "Actions for sam")).toBe(true);
    expect(await page.getByRole("menu").count()).toBe(0);
    await page.keyboard.press("Enter");
    await page.getByRole("menu").waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("alertdialog", { name: "Log out sam everywhere?" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("alertdialog").waitFor({ state: "detached" });
    await until(() => isFocused(page, "Actions for sam"));
    await page.context().close();
  });

  it("skips to the content, and keeps filters in the address, over a reload and back", async () => {
    const page = await logInAs(browser, site, "sam", { path: "users" });
    await seePage(page, "Users");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
    await page.getByLabel("State").selectOption("Disabled");
    await until(async () => (await page.locator("tbody tr").count()) < 4);
    expect(new URL(page.url()).search).toBe("?is_active=false");
    await page.reload();
    await seePage(page, "Users");
    expect(await page.getByLabel("State").inputValue()).toBe("false");
    await page.goBack();
    await until(async () => (await page.locator("tbody tr").count()) > 4);
    expect(await page.getByLabel("State").inputValue()).toBe("");
    await page.context().close();
  });

  it.each([hostileName, arabicName, longName])("shows the name %s as text, wherever it is", async (name) => {
    const page = await logInAs(browser, site, "ada", {
      path: `users/${idOf(name)}`,
      viewport: { width: 320, height: 700 },
    });
    await seePage(page, name);
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Log out everywhere…" }).click();
    await page.getByRole("alertdialog").waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.getByLabel("Reason").fill(`${name} ${hostileName}`.slice(0, 400));
    await page.keyboard.press("Enter");
    await page.getByText("revoked.").first().waitFor();
    expect(await findBarriers(page)).toEqual([]);
    expect(await page.title()).toBe(`${name} · tokenpair console`);
    await page.context().close();
  });

  it("follows the audit log, and moves nothing that is being read", async () => {
    const page = await logInAs(browser, site, "vera", { path: "audit", viewport: { width: 1280, height: 300 } });
    await seePage(page, "Audit log");
    await page.getByText("Following.").waitFor();
    await page.evaluate(() => scrollTo(0, 200));
    await site.nodes.auth.login(
      { username: "edsger", password },
      { client: { ip: "192.0.2.77", userAgent: "curl/8.5" } },
    );
    await page.getByText(/new\./).waitFor();
    expect(await page.getByText("192.0.2.77").count()).toBe(0);
    await page.getByRole("button", { name: /^Show/ }).click();
    await page.getByText("192.0.2.77, curl").first().waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.context().close();
  });

  it("tells the victim of a revocation why, while the page is open", async () => {
    const [staff, victim] = await Promise.all([
      logInAs(browser, site, "ada", { path: `users/${idOf("vera")}` }),
      logInAs(browser, site, "vera", { path: "sessions" }),
    ]);
    await seePage(staff, "vera");
    await staff.getByRole("button", { name: "Log out everywhere…" }).click();
    await staff.getByLabel("Reason").fill("two browsers");
    await staff.keyboard.press("Enter");
    await victim.getByText("This device was logged out remotely. Please log in again.").waitFor();
    await victim.getByRole("heading", { name: "Log in" }).waitFor();
    expect(await victim.getByRole("table").count()).toBe(0);
    expect(await findBarriers(victim)).toEqual([]);
    await Promise.all([staff.context().close(), victim.context().close()]);
  });

  it("says that there is no connection and shows what it knows, until there is one", async () => {
    const page = await logInAs(browser, site, "vera", { path: "users" });
    await seePage(page, "Users");
    await page.context().setOffline(true);
    await page.getByLabel("Role").selectOption("Admin");
    await page.getByRole("button", { name: "Try again" }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.context().setOffline(false);
    await page.getByRole("button", { name: "Try again" }).click();
    await until(async () => (await page.locator("tbody tr").count()) === 1);
    await page.context().close();
  });

  it("exports the audit log to a file", async () => {
    const page = await logInAs(browser, site, "ada", { path: "audit?type=login_failed" });
    await seePage(page, "Audit log");
    await page.getByRole("button", { name: "Export…" }).click();
    await page.getByRole("menuitem", { name: "CSV" }).click();
    await page.getByRole("alertdialog").waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Export", exact: true }).click(),
    ]);
    const text = readFileSync(await download.path(), "utf8");
    expect(download.suggestedFilename()).toBe("audit.csv");
    expect(text).toContain("login_failed");
    expect(await findBarriers(page)).toEqual([]);
    await page.context().close();
  });
});

/** Makes a login so old that dangerous actions ask for the password. */
async function makeLoginOld(site: ConsoleSite, page: Page, userId: string): Promise<void> {
  const database = new DatabaseSync(join(site.nodes.directory, "tokenpair.db"));
  database.exec("PRAGMA busy_timeout = 10000");
  database.prepare("UPDATE sessions SET authenticated_at = authenticated_at - 3600 WHERE user_id = ?").run(userId);
  database.close();
  // The time is in the access token, which is renewed now.
  await page.context().clearCookies({ name: /access/ });
}

const isFocused = (page: Page, name: string): Promise<boolean> =>
  page.evaluate((expected) => {
    const element = document.activeElement;
    return (element?.getAttribute("aria-label") ?? element?.textContent) === expected;
  }, name);

/** Presses Tab until the field with this label has the focus. */
async function tabToLabel(page: Page, label: string): Promise<void> {
  for (let presses = 0; presses < 50; presses += 1) {
    await page.keyboard.press("Tab");
    const text = await page.evaluate(() =>
      document.activeElement instanceof HTMLInputElement ? document.activeElement.labels?.[0]?.textContent : null,
    );
    if (text === label) return;
  }
  throw new Error(`Tab doesn't reach the field ${label}`);
}
