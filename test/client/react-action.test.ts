import { createElement, type ReactNode } from "react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SessionProvider, useAction } from "../../src/client/react.ts";
import { createFakeBrowser, type FakeBrowser, type FakeTab } from "./fake-browser.ts";
import { openReactPage, type ReactPage } from "./react-page.ts";

/** What the action answers: an error is thrown. */
let answers: unknown[];
let sent: unknown[];
let send: (text: string) => Promise<unknown>;

async function save(text: string): Promise<unknown> {
  sent.push(text);
  const answer = answers.shift();
  if (answer instanceof Error) throw answer;
  return answer;
}

function Form(): ReactNode {
  send = useAction(save);
  return null;
}

/** The error that Next's router throws if the proxy refused the action, and that of an action that refused it itself. */
const byProxy = () => new Error("tokenpair: not authenticated");
const byAction = () => Object.assign(new Error("redacted"), { digest: "tokenpair: not authenticated" });

describe("useAction", () => {
  let page: ReactPage;
  let browser: FakeBrowser;
  let tab: FakeTab;
  const countRefreshes = () => browser.server.count("POST /api/auth/refresh/");

  beforeEach(async () => {
    page = await openReactPage();
    browser = createFakeBrowser();
    tab = await browser.openLoggedIn();
    browser.server.requests.length = 0;
    [answers, sent] = [[], []];
    await page.render(createElement(SessionProvider, { client: tab.client }, createElement(Form)));
  });
  afterEach(() => page.close());

  it("sends an action once if the access token is valid", async () => {
    answers.push("saved");
    expect(await send("a")).toBe("saved");
    expect([sent, countRefreshes()]).toEqual([["a"], 0]);
  });

  it.each([
    ["the proxy", byProxy],
    ["the action", byAction],
  ])("refreshes and sends an action once more if %s has refused it", async (_, refuse) => {
    answers.push(refuse(), "saved");
    expect(await send("a")).toBe("saved");
    expect([sent, countRefreshes()]).toEqual([["a", "a"], 1]);
  });

  it("rejects if the action is refused again", async () => {
    answers.push(byProxy(), byProxy());
    await expect(send("a")).rejects.toThrow("not authenticated");
    expect(sent).toEqual(["a", "a"]);
  });

  it("doesn't send an action again that has failed for another reason", async () => {
    answers.push(Object.assign(new Error("tokenpair: csrf_failed"), { digest: "tokenpair: csrf_failed" }));
    await expect(send("a")).rejects.toThrow("csrf_failed");
    answers.push(undefined, new Error("no space"));
    await send("b");
    await expect(send("c")).rejects.toThrow("no space");
    expect([sent, countRefreshes()]).toEqual([["a", "b", "c"], 0]);
  });

  it("refreshes before it sends, if the access token has expired meanwhile", async () => {
    browser.clock.sleep(3_600_000);
    answers.push("saved");
    expect(await send("a")).toBe("saved");
    expect([sent, countRefreshes()]).toEqual([["a"], 1]);
  });
});
