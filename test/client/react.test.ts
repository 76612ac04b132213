import { createElement, type ReactNode, StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Client, createClient, type SessionState } from "../../src/client/index.ts";
import { SessionProvider, useSession, useUser } from "../../src/client/react.ts";
import { createFakeBrowser, type FakeBrowser, type FakeTab, toStorage } from "./fake-browser.ts";
import { openReactPage, type ReactPage } from "./react-page.ts";

const Status = ({ client }: { readonly client: Client }) => createElement("p", null, useSession(client).status);
const initial: SessionState = { status: "authenticated", user: { id: "1", username: "alice" }, sessionId: "s1" };

describe("server rendering", () => {
  it("creates a client without a page whose state is loading and whose calls reject", async () => {
    const client = createClient();
    expect(client.session()).toEqual({ status: "loading" });
    expect(client.session()).toBe(client.session());
    client.onChange(() => undefined)();
    client.dispose();
    await expect(client.fetch("/api/orders/")).rejects.toThrow(TypeError);
  });

  it.each([
    ["cookie", {}],
    ["bearer", { storage: toStorage(new Map()) }],
  ])("renders the state loading on a server, although the user of the %s client is logged in", async (_, options) => {
    const { client } = await createFakeBrowser().openLoggedIn(options);
    expect(client.session().status).toBe("authenticated");
    expect(renderToString(createElement(Status, { client }))).toBe("<p>loading</p>");
  });

  it("renders the initial state of the provider", () => {
    const client = createClient();
    const page = createElement(
      SessionProvider,
      { client, initial },
      createElement(Status, { client }),
      createElement(Name),
    );
    expect(renderToString(page)).toBe("<p>authenticated</p>alice");
  });

  it("throws a TypeError that says what to add if there is neither a provider nor a client", () => {
    expect(() => renderToString(createElement(Name))).toThrow(/<SessionProvider>.*useSession\(client\)/);
  });
});

/** Shows the user's name, and counts its renders. */
let renders: Record<string, number> = {};
const count = (name: string) => {
  renders[name] = (renders[name] ?? 0) + 1;
};
function Name(): ReactNode {
  count("name");
  return useUser()?.username ?? "nobody";
}
function Problem(): ReactNode {
  count("problem");
  return useSession((state) => state.problem) ?? "fine";
}
function Whole(): ReactNode {
  count("whole");
  return useSession().status;
}

function Role(): ReactNode {
  count("role");
  return `${useUser<{ role: string }>()?.claims?.role}`;
}
function Pair({ label }: { readonly label: string }): ReactNode {
  count("pair");
  return useSession((state) => ({ name: `${label} ${state.user?.username}` })).name;
}
function Selected({ client }: { readonly client: Client }): ReactNode {
  return useSession(client, (state) => state.user?.username);
}
function Shown({ texts }: { readonly texts: string[] }): ReactNode {
  const { status, user } = useSession();
  texts.push(user?.username ?? status);
  return createElement("b", null, user?.username ?? status);
}

describe("a page in React", () => {
  let page: ReactPage;
  let browser: FakeBrowser;
  let tab: FakeTab;
  beforeEach(async () => {
    renders = {};
    page = await openReactPage();
    browser = createFakeBrowser();
    tab = await browser.openLoggedIn({ random: 1 });
  });
  afterEach(() => page.close());

  const provide = (...children: ReactNode[]) => createElement(SessionProvider, { client: tab.client }, ...children);
  /** Loses the network, and lets a refresh notice it. */
  async function loseNetwork() {
    browser.server.faults.push({ on: "/refresh/", kind: "offline" });
    void tab.client.refresh();
    await browser.clock.advance(0);
  }

  it("renders only the components whose part of the session has changed", async () => {
    await page.render(provide(createElement(Name), "|", createElement(Problem), "|", createElement(Whole)));
    expect(page.text()).toBe("alice|fine|authenticated");
    const before = { ...renders };
    await page.act(loseNetwork);
    expect(page.text()).toBe("alice|offline|authenticated");
    await page.act(() => browser.clock.advance(2_000));
    expect(page.text()).toBe("alice|fine|authenticated");
    expect(renders).toEqual({
      name: before["name"],
      problem: (before["problem"] ?? 0) + 2,
      whole: (before["whole"] ?? 0) + 2,
    });
  });

  it("renders a user again only when what the server says about the user has changed", async () => {
    Object.assign(browser.server.users.get("alice") ?? {}, { claims: { role: "editor" } });
    await page.act(() => tab.client.refresh().then(() => undefined));
    await page.render(provide(createElement(Role)));
    expect(page.text()).toBe("editor");
    const before = renders["role"];
    // The user is loaded again while there is a problem, so the state gets another object.
    await page.act(loseNetwork);
    await page.act(async () => void (await tab.client.reload()));
    expect([renders["role"], tab.client.session().problem]).toEqual([before, undefined]);
    Object.assign(browser.server.users.get("alice") ?? {}, { claims: { role: "admin" } });
    await page.act(async () => void (await tab.client.refresh()));
    expect([page.text(), renders["role"]]).toEqual(["admin", (before ?? 0) + 1]);
  });

  it("accepts a selector that returns another object each time, and another selector in each render", async () => {
    await page.render(provide(createElement(Pair, { label: "first" })));
    expect(page.text()).toBe("first alice");
    await page.render(provide(createElement(Pair, { label: "second" })));
    expect(page.text()).toBe("second alice");
    expect(renders["pair"]).toBeLessThan(10);
  });

  it("selects from a client that is passed, without a provider", async () => {
    await page.render(createElement(Selected, { client: tab.client }));
    expect(page.text()).toBe("alice");
  });

  it("follows a login and a logout, and leaves no listener behind", async () => {
    await page.render(createElement(StrictMode, null, provide(createElement(Name))));
    await page.act(async () => void (await tab.client.logout()));
    expect(page.text()).toBe("nobody");
    await page.act(async () => void (await tab.client.login({ username: "bob", password: "secret" })));
    expect(page.text()).toBe("bob");
    await page.render(null);
    const before = renders["name"];
    await page.act(async () => void (await tab.client.logout()));
    expect(renders["name"]).toBe(before);
  });

  it("hydrates a page that a server rendered for a user without showing it as loading in between", async () => {
    const texts: string[] = [];
    browser.server.latency = 20;
    const opened = browser.openTab();
    const element = createElement(SessionProvider, { client: opened.client, initial }, createElement(Shown, { texts }));
    expect(opened.client.session().status).toBe("loading");
    const errors = await page.hydrate(renderToString(element), element);
    await page.act(() => browser.clock.advance(100));
    expect(opened.client.session()).toEqual(initial);
    expect([new Set(texts), errors, page.text()]).toEqual([new Set(["alice"]), [], "alice"]);
  });

  it("shows who is logged in after the hydration if the server rendered another state", async () => {
    browser.server.revoke("s1");
    tab.client.dispose();
    browser.server.latency = 20;
    const opened = browser.openTab();
    const element = createElement(SessionProvider, { client: opened.client, initial }, createElement(Name));
    await page.hydrate(renderToString(element), element);
    expect(page.text()).toBe("alice");
    await page.act(() => browser.clock.advance(100));
    expect(page.text()).toBe("nobody");
  });
});
