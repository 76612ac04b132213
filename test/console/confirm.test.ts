import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { until } from "../browser/until.ts";
import { findBarriers } from "./barriers.ts";
import { password } from "./console-site.ts";
import { choose, giveReason, isFocused, press, seeDialog, seeMessage, tabTo, type } from "./keyboard.ts";
import { endConfirmation } from "./staff.ts";
import { useConsole } from "./use-console.ts";

/** A change that needs a recent confirmation. */
interface Dangerous {
  readonly does: string;
  /** The page, with its heading. `ID` is the id of a user who was just created, called `NAME`. */
  readonly at: readonly [path: string, heading: string];
  /** Opens the dialog, and fills in everything but the reason. */
  readonly open: (page: Page, name: string) => Promise<void>;
  readonly done: RegExp;
  /** The role of the user who is changed. */
  readonly role?: "admin";
}

const changes: readonly Dangerous[] = [
  {
    does: "disables a user",
    at: ["users/ID", "NAME"],
    open: (page) => press(page, /^Disable/),
    done: /is disabled/,
  },
  {
    does: "sets a password",
    at: ["users/ID", "NAME"],
    open: (page) => press(page, /^Set password/),
    done: /has a new password/,
  },
  {
    does: "changes a role",
    at: ["users/ID", "NAME"],
    async open(page) {
      await choose(page, "More actions", /^Change role/);
      await page.getByLabel("Role", { exact: true }).last().selectOption("viewer");
    },
    done: /is now viewer/,
  },
  {
    does: "deletes a user",
    at: ["users/ID", "NAME"],
    async open(page, name) {
      await choose(page, "More actions", /^Delete/);
      await type(page, "Username", name);
    },
    done: /is deleted/,
  },
  {
    does: "disables several users",
    at: ["users?search=NAME", "Users"],
    async open(page, name) {
      await tabTo(page, "field", new RegExp(name));
      await page.keyboard.press("Space");
      await press(page, /^Disable/);
    },
    done: /^1 of 1 users disabled/,
  },
  {
    does: "logs another admin out",
    at: ["users/ID", "NAME"],
    open: (page) => press(page, /^Log out everywhere/),
    done: /revoked\./,
    role: "admin",
  },
  {
    does: "creates an admin",
    at: ["users", "Users"],
    async open(page, name) {
      await press(page, /^Create user/);
      await type(page, "Username", `${name}-2`);
      await page.getByLabel("Role", { exact: true }).last().selectOption("admin");
    },
    done: /is created/,
  },
  {
    does: "revokes all sessions that match",
    at: ["sessions?user_agent=NAME", "Sessions"],
    open: (page) => press(page, /^Revoke all that match/),
    done: /^Revoke 1 session\?$/,
  },
  {
    does: "exports the audit log",
    at: ["audit?type=login", "Audit log"],
    open: (page) => choose(page, /^Export/, "CSV"),
    done: /is downloaded/,
  },
  {
    does: "rotates the signing key",
    at: ["keys", "Keys"],
    open: (page) => press(page, /^Rotate/),
    done: /new key is published/,
  },
  {
    does: "withdraws a key",
    at: ["keys", "Keys"],
    open: (page) => press(page, /^Withdraw/),
    done: /is withdrawn/,
  },
  {
    does: "revokes all sessions",
    at: ["sessions", "Sessions"],
    open: (page) => press(page, /^Revoke all…/),
    done: /^Log in$/,
  },
];

describe("a dialog asks for the password, if the login became too old while it was open", () => {
  const scene = useConsole({ hasKeyRing: true });
  let serial = 0;

  it.each(changes)("and then $does", async ({ at, open, done, role }) => {
    const { site } = scene;
    serial += 1;
    const [name, admin] = [`user${serial}`, `admin${serial}`];
    const id = await site.addUser(name, role ?? null);
    await site.addUser(admin, "admin");
    await site.nodes.auth.login(
      { username: name, password },
      { client: { ip: "192.0.2.1", userAgent: `is ${name}.` } },
    );
    const [path, heading] = at.map((text) =>
      text.replace("ID", id).replace("NAME", text.includes("agent") ? `is ${name}.` : name),
    );
    const page = await scene.open(admin, path ?? "", heading ?? "");
    await page
      .getByRole("banner")
      .getByText(/^Confirmed/)
      .waitFor();
    await open(page, name);
    await seeDialog(page, /./);
    expect(await page.getByLabel("Your password").count()).toBe(0);
    await endConfirmation(site, page, admin);
    const hasReason = (await page.getByLabel("Reason").count()) > 0;
    if (hasReason) await giveReason(page, "a good reason");
    else await page.getByRole("alertdialog").getByRole("button").last().press("Enter");
    await page.getByLabel("Your password").waitFor();
    await page
      .getByRole("alert")
      .filter({ hasText: /password/ })
      .first()
      .waitFor();
    await until(() => isFocused(page, "Your password", "field"));
    expect(await findBarriers(page)).toEqual([]);
    await page.keyboard.type("not my password");
    await page.keyboard.press("Enter");
    await page.getByText("The password is wrong.").waitFor();
    if (hasReason) expect(await page.getByLabel("Reason").inputValue()).toBe("a good reason");
    expect(await isFocused(page, "Your password", "field")).toBe(true);
    await page.getByLabel("Your password").fill(password);
    await page.keyboard.press("Enter");
    await seeMessage(page, done);
    expect(await findBarriers(page)).toEqual([]);
    expect(await page.content()).not.toContain(password);
  });
});
