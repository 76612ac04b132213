import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { hasLongTests } from "../support/long-tests.ts";
import { findBarriers } from "./barriers.ts";
import { seePage } from "./staff.ts";
import { useConsole } from "./use-console.ts";

const allColors: readonly (readonly [string, BrowserContextOptions])[] = [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["forced", { forcedColors: "active" }],
];

/** All colors take minutes: `npm run proof -- console`. */
const colors = hasLongTests ? allColors : allColors.slice(0, 1);

const widths = [1280, 320];

const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name }).first().click();

async function item(page: Page, menu: string | RegExp, name: string | RegExp): Promise<void> {
  await button(page, menu);
  await page.getByRole("menuitem", { name }).click();
}

/** How each dialog is opened, by page. `ID` is the id of a user with sessions. */
const dialogs: readonly (readonly [path: string, heading: string, ...((page: Page) => Promise<void>)[]])[] = [
  [
    "users/ID",
    "grace",
    (page) => button(page, /^Log out everywhere/),
    async (page) => {
      await button(page, /^Set password/);
      await page.getByLabel(/^Generate/).setChecked(false);
    },
    (page) => button(page, /^Disable/),
    (page) => item(page, "More actions", /^Change email/),
    (page) => item(page, "More actions", /^Change role/),
    (page) => item(page, "More actions", /^Unlock/),
    (page) => item(page, "More actions", /^Delete/),
    (page) => button(page, /^Revoke the session/),
  ],
  ["users/OFF", "barbara", (page) => button(page, /^Enable/)],
  [
    "users",
    "Users",
    async (page) => {
      await button(page, /^Create user/);
      await page.getByLabel(/^Generate/).setChecked(false);
    },
    (page) => item(page, "Actions for linus", /^Disable/),
    async (page) => {
      for (const name of ["grace", "linus"]) await page.getByLabel(`Select ${name}`).setChecked(true);
      await button(page, /^Log out…/);
    },
  ],
  ["sessions", "Sessions", (page) => button(page, /^Revoke all…/), (page) => button(page, /^Revoke a token/)],
  ["sessions?user_agent=Chrome", "Sessions", (page) => button(page, /^Revoke all that match/)],
  [
    "audit?type=login_failed",
    "Audit log",
    (page) => item(page, /^Export/, "CSV"),
    async (page) => {
      await button(page, "Details");
      await button(page, /^Unlock 203/);
    },
  ],
  ["keys", "Keys", (page) => button(page, /^Rotate/)],
];

describe("every dialog of the console", () => {
  const scene = useConsole({ hasKeyRing: true });

  it.each(colors)(
    "has no barriers in %s colors, at 1280 and at 320 pixels, and shows what is missing",
    async (color, options) => {
      const { site } = scene;
      await site.addUser(`admin-${color}`, "admin");
      const page = await scene.open(`admin-${color}`, "", "Overview", options);
      for (const width of widths) {
        await page.setViewportSize({ width, height: 800 });
        for (const [path, heading, ...openings] of dialogs) {
          await page.goto(`${site.url}${path.replace("ID", site.idOf("grace")).replace("OFF", site.idOf("barbara"))}`);
          await seePage(page, heading);
          for (const open of openings) {
            await open(page);
            const dialog = page.getByRole("alertdialog");
            await dialog.waitFor();
            const where = `${width} ${path} ${await dialog.getByRole("heading").textContent()}`;
            expect(await findBarriers(page), where).toEqual([]);
            if ((await page.getByLabel("Reason").count()) > 0) {
              await dialog.getByRole("button").last().click();
              await page.getByText("Say why.").waitFor();
              expect(await findBarriers(page), `${where}, faults`).toEqual([]);
            }
            await page.keyboard.press("Escape");
            await dialog.waitFor({ state: "detached" });
          }
        }
      }
    },
  );

  it.each(colors)("has no barriers in the other zone and in details, in %s colors", async (color, options) => {
    await scene.site.addUser(`viewer-${color}`, "viewer");
    const page = await scene.open(`viewer-${color}`, "audit", "Audit log", { ...options, timezoneId: "Asia/Kolkata" });
    await button(page, /^Show my time/);
    await button(page, "Details");
    await page.getByText("UTC+5:30").first().waitFor();
    for (const width of widths) {
      await page.setViewportSize({ width, height: 800 });
      expect(await findBarriers(page), `${width}`).toEqual([]);
    }
  });
});
