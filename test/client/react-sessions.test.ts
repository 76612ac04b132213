import { createElement, type ReactNode } from "react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type SessionList, SessionProvider, useSessions } from "../../src/client/react.ts";
import { createFakeBrowser, type FakeBrowser, type FakeTab } from "./fake-browser.ts";
import { openReactPage, type ReactPage } from "./react-page.ts";

let list: SessionList;

function Devices(): ReactNode {
  list = useSessions();
  return list.sessions?.map(({ id, label }) => `${id}${label ? `:${label}` : ""}`).join(" ") ?? "loading";
}

describe("useSessions", () => {
  let page: ReactPage;
  let browser: FakeBrowser;
  let tab: FakeTab;
  beforeEach(async () => {
    page = await openReactPage();
    browser = createFakeBrowser();
    await browser.logInElsewhere("alice");
    tab = await browser.openLoggedIn();
    // The first session was replaced by the second, so that another device has a third.
    await browser.server.fetch(new Map(), "https://app.example/api/token/", {
      method: "POST",
      body: JSON.stringify({ username: "alice", password: "secret" }),
    });
    browser.server.requests.length = 0;
    await page.render(createElement(SessionProvider, { client: tab.client }, createElement(Devices)));
  });
  afterEach(() => page.close());

  it("loads the sessions once, names them and revokes them", async () => {
    await page.act(() => browser.clock.advance(0));
    expect(page.text()).toBe("s2 s3");
    await page.act(() => list.label("s3", "phone"));
    expect(page.text()).toBe("s2 s3:phone");
    await page.act(() => list.revoke("s3"));
    expect(page.text()).toBe("s2");
    expect(browser.server.count("GET /api/auth/sessions/")).toBe(1);
    expect(browser.server.sessions.get("s3")?.revoked).not.toBeNull();
  });

  it.each([404, 503])(
    "rejects a revocation that something else answers with %s, and keeps the list",
    async (status) => {
      await page.act(() => browser.clock.advance(0));
      browser.server.faults.push({ on: "/sessions/s3/", kind: new Response("no JSON", { status }) });
      await expect(page.act(() => list.revoke("s3"))).rejects.toMatchObject({ code: "unavailable", status });
      expect(page.text()).toBe("s2 s3");
    },
  );

  it("loads the list again if the revoked session has already ended", async () => {
    await page.act(() => browser.clock.advance(0));
    browser.server.revoke("s3");
    await page.act(() => list.revoke("s3"));
    expect([list.error, page.text()]).toEqual([undefined, "s2"]);
    expect(browser.server.count("GET /api/auth/sessions/")).toBe(2);
  });

  it("rejects the name of a session that has ended", async () => {
    await page.act(() => browser.clock.advance(0));
    await expect(page.act(() => list.label("s9", "phone"))).rejects.toMatchObject({ code: "not_found" });
    expect(page.text()).toBe("s2 s3");
  });

  it("says why the list couldn't be loaded, keeps what was loaded, and loads it again", async () => {
    await page.act(() => browser.clock.advance(0));
    browser.server.faults.push({ on: "/sessions/", kind: "offline" });
    await page.act(() => list.reload());
    expect(list.error).toMatchObject({ code: "offline" });
    expect(page.text()).toBe("s2 s3");
    browser.server.revoke("s3");
    await page.act(() => list.reload());
    expect([list.error, page.text()]).toEqual([undefined, "s2"]);
  });

  it("shows nothing of the previous user after another one has logged in, and loads the other list", async () => {
    await page.act(() => browser.clock.advance(0));
    await page.act(async () => void (await tab.client.logout()));
    expect(page.text()).toBe("loading");
    browser.server.faults.push({ on: "/sessions/", kind: "offline" });
    await page.act(async () => void (await tab.client.login({ username: "bob", password: "secret" })));
    expect([page.text(), list.error]).toEqual(["loading", expect.objectContaining({ code: "offline" })]);
    await page.act(() => list.reload());
    expect(page.text()).toContain("s4");
  });

  it("ignores a response that comes after another user has logged in", async () => {
    await page.act(() => browser.clock.advance(0));
    browser.server.faults.push({ on: "/sessions/", kind: 5_000 });
    void list.reload();
    await page.act(() => browser.clock.advance(100));
    await page.act(async () => void (await tab.client.login({ username: "bob", password: "secret" })));
    await page.act(() => browser.clock.advance(100));
    expect(page.text()).toContain("s4");
    await page.act(() => browser.clock.advance(10_000));
    expect(page.text()).toContain("s4");
  });
});
