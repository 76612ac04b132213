import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { until } from "../browser/until.ts";
import { findBarriers } from "./barriers.ts";
import { giveReason, press, seeDialog, seeMessage, seeNoDialog } from "./keyboard.ts";
import { seePage } from "./staff.ts";
import { useConsole } from "./use-console.ts";

const ada = { actor: "staff/ada" };

const readRows = (page: Page) => page.locator("tbody tr").allTextContents();

describe("the page of keys, with keys in the database", () => {
  const scene = useConsole({ hasKeyRing: true });

  it("rotates the key by keyboard, and retires one; users stay logged in", async () => {
    const page = await scene.open("ada", "keys", "Keys");
    const before = await readRows(page);
    expect(before.length).toBeGreaterThan(0);
    await press(page, /^Rotate/);
    await seeDialog(page, /^Rotate the signing key/);
    expect(await findBarriers(page)).toEqual([]);
    await giveReason(page, "the yearly rotation");
    await seeMessage(page, /^A new key is published/);
    await seeNoDialog(page);
    await until(async () => (await readRows(page)).length === before.length + 1);
    expect(await findBarriers(page)).toEqual([]);
    expect((await scene.site.readAudit("key_added"))[0]).toMatchObject({ ...ada, note: "the yearly rotation" });

    await press(page, /^Withdraw the key/);
    await seeDialog(page, /^Withdraw the key/);
    expect(await findBarriers(page)).toEqual([]);
    await giveReason(page, "made by mistake");
    await seeMessage(page, /is withdrawn/);
    await seeNoDialog(page);
    expect((await scene.site.readAudit("key_retired"))[0]).toMatchObject({ ...ada, note: "made by mistake" });

    // On the command line, the next key signs at once. The page then offers to retire the one before.
    await scene.site.nodes.run("keys", "rotate", "--now");
    await page.reload();
    await seePage(page, "Keys");
    await press(page, /^Retire the key/);
    await seeDialog(page, /^Retire the key/);
    await giveReason(page, "it leaked");
    await seeMessage(page, /is retired/);
    await seeNoDialog(page);
    expect((await scene.site.readAudit("key_retired"))[0]).toMatchObject({ ...ada, note: "it leaked" });
    await until(async () => (await page.getByRole("button", { name: /^Retire the key/ }).count()) === 0);
    // The page still works: the token that the retired key signed was replaced by a refresh.
    expect(await findBarriers(page)).toEqual([]);
    await page.reload();
    await seePage(page, "Keys");
    // No private part of a key was sent.
    expect(await page.content()).not.toMatch(/"d"\s*:|PRIVATE KEY/);
  });

  it("offers support to look at the keys, not to change them", async () => {
    const page = await scene.open("sam", "keys", "Keys");
    await until(async () => (await readRows(page)).length > 0);
    expect(await page.getByRole("main").getByRole("button", { name: /…$/ }).count()).toBe(0);
    expect(await findBarriers(page)).toEqual([]);
  });
});
