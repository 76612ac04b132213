import { describe, expect, it } from "vitest";
import { until } from "../browser/until.ts";
import { findBarriers } from "./barriers.ts";
import { foreignNames, hostileName, password } from "./console-site.ts";
import { giveReason, press, seeDialog, seeMessage, seeNoDialog } from "./keyboard.ts";
import { seePage } from "./staff.ts";
import { useConsole } from "./use-console.ts";

const titles = foreignNames.map((name) => [
  name.length > 40 ? `${name.length} characters` : JSON.stringify(name),
  name,
]);

describe("the console, with what tokenpair itself would refuse", () => {
  const scene = useConsole();

  it.each(titles)("shows the name %s as text, wherever it is, and nothing else turns", async (_, name) => {
    const { site } = scene;
    const login = `renamed-${foreignNames.indexOf(name)}`;
    const id = await site.addUser(login);
    await site.logIn(login, 3);
    await site.rename(login, name);
    const shown = name === "" ? id : name;
    const page = await scene.open("ada", "", "Overview", { viewport: { width: 320, height: 700 } });
    for (const [path, heading] of [
      ["users", "Users"],
      ["sessions", "Sessions"],
      [`audit?user=${id}`, "Audit log"],
      [`users/${id}`, shown],
    ] as const) {
      await page.goto(`${site.url}${path}`);
      await page.getByRole("heading", { level: 1 }).filter({ hasText: heading.trim() }).waitFor();
      await page.waitForFunction(() => document.querySelector(".waiting") === null);
      for (const width of [320, 1280]) {
        await page.setViewportSize({ width, height: 700 });
        expect(await findBarriers(page), `${path} at ${width}`).toEqual([]);
      }
    }
    await press(page, /^Log out everywhere/);
    await seeDialog(page, /^Log out/);
    expect(await findBarriers(page)).toEqual([]);
    expect(await page.getByRole("alertdialog").textContent()).not.toMatch(/[\u202A-\u202E]/);
    await giveReason(page, hostileName);
    await seeMessage(page, /revoked\./);
    await seeNoDialog(page);
    for (const width of [320, 1280]) {
      await page.setViewportSize({ width, height: 700 });
      expect(await findBarriers(page), `toast at ${width}`).toEqual([]);
    }
    expect(await page.title()).toContain("tokenpair console");
  });

  it("shows reasons, user agents and labels of any length and direction as text", async () => {
    const { site } = scene;
    const { auth } = site.nodes;
    const id = await site.addUser("devices");
    const words = [hostileName, "\u202Egnp.exe", "x".repeat(10_000), "👩\u200D👩\u200D👧", " "];
    for (const [index, userAgent] of words.entries()) {
      const client = { ip: `192.0.2.${index}`, userAgent };
      const { access } = await auth.login({ username: "devices", password }, { client });
      const checked = await auth.authenticate(new Headers({ Authorization: `Bearer ${access}` }), { method: "GET" });
      await auth.sessions.label(checked, { label: `${userAgent}`.slice(0, 60) }).catch(() => undefined);
    }
    await auth.users.disable(id, { client: { actor: words[1] ?? "", note: `${words[1]}${words[2]}`.slice(0, 500) } });
    await auth.users.enable(id);
    for (const userAgent of words) await auth.login({ username: "devices", password }, { client: { userAgent } });
    const page = await scene.open("ada", `users/${id}`, "devices", { viewport: { width: 320, height: 700 } });
    for (const path of [`users/${id}`, `sessions?user=${id}`, `audit?user=${id}`, ""]) {
      await page.goto(`${site.url}${path}`);
      await page.waitForFunction(() => document.querySelector(".waiting") === null && document.querySelector("h1"));
      for (const details of await page.getByRole("button", { name: "Details" }).all()) await details.click();
      for (const width of [320, 1280]) {
        await page.setViewportSize({ width, height: 700 });
        expect(await findBarriers(page), `${path} at ${width}`).toEqual([]);
      }
    }
    await page.goto(`${site.url}sessions?user=${id}`);
    await seePage(page, "Sessions");
    await until(async () => (await page.locator("tbody tr").count()) === words.length);
    await page
      .getByRole("button", { name: /^Revoke the session/ })
      .first()
      .click();
    await seeDialog(page, /^Revoke the session/);
    expect(await findBarriers(page)).toEqual([]);
  });
});
