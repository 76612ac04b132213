import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createBearerClient } from "../../src/client/bearer/index.ts";
import { createClient, patchFetch } from "../../src/client/index.ts";
import { createFakeBrowser, type FakeBrowser, toStorage } from "./fake-browser.ts";

const order = { method: "POST", body: "x" };

/** Replaces the globals by those of a page whose `fetch` is the browser's. Returns what the browser's `fetch` was given. */
function stubPage(browser: FakeBrowser): unknown[] {
  const given: unknown[] = [];
  const events = { addEventListener: () => undefined };
  vi.stubGlobal("document", {
    baseURI: "https://app.example/page/",
    get cookie() {
      return `csrftoken=${browser.jar.get("csrftoken") ?? ""}`;
    },
  });
  vi.stubGlobal("window", { ...events, location: { href: "https://app.example/page/" } });
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("BroadcastChannel", undefined);
  vi.stubGlobal("fetch", (input: string | URL | Request, init?: RequestInit) => {
    given.push(input);
    return browser.server.fetch(browser.jar, input instanceof URL ? input.href : input, init);
  });
  return given;
}

async function open() {
  const browser = createFakeBrowser();
  const given = stubPage(browser);
  const native = fetch;
  const client = createClient();
  await client.login({ username: "alice", password: "secret" });
  browser.server.requests.length = 0;
  given.length = 0;
  const last = () => browser.server.requests.at(-1);
  return { browser, given, native, client, last };
}

let restores: (() => void)[] = [];
beforeEach(() => {
  restores = [];
});
afterEach(() => {
  for (const restore of restores) restore();
  vi.unstubAllGlobals();
});

describe("patchFetch()", () => {
  it("sends requests of the global fetch as the logged-in user, and refreshes after a 401", async () => {
    const { browser, client, last } = await open();
    restores.push(patchFetch(client));
    expect((await fetch("/api/orders/", order)).status).toBe(200);
    expect(last()?.headers.get("X-CSRFToken")).toBe(browser.jar.get("csrftoken"));
    browser.jar.delete("access");
    expect((await fetch(new URL("https://app.example/api/orders/"), order)).status).toBe(200);
    expect((await fetch(new Request("https://app.example/api/orders/", order))).status).toBe(200);
    expect(browser.server.count("POST /api/auth/refresh/")).toBe(1);
    client.dispose();
  });

  it("doesn't send the client's own requests to the client, also if another library wraps fetch afterwards", async () => {
    const { browser, client, given } = await open();
    restores.push(patchFetch(client));
    const patched = fetch;
    let wrapped = 0;
    vi.stubGlobal("fetch", (...request: Parameters<typeof fetch>) => {
      wrapped += 1;
      return patched(...request);
    });
    browser.jar.delete("access");
    expect((await fetch("/api/orders/")).status).toBe(200);
    expect(wrapped).toBe(1);
    expect(given).toHaveLength(3); // the request, the refresh, and the request again
    client.dispose();
  });

  it("leaves requests to other origins alone, and resolves relative URLs against the page", async () => {
    const { client, given, last } = await open();
    restores.push(patchFetch(client));
    await fetch("https://other.example/public/", order);
    expect([last()?.headers.get("X-CSRFToken"), last()?.credentials]).toEqual([null, "same-origin"]);
    await fetch("orders");
    expect(given.at(-1)).toBe("https://app.example/page/orders");
    client.dispose();
  });

  it("resolves relative URLs against the page although the client has another baseUrl", async () => {
    const browser = createFakeBrowser();
    const given = stubPage(browser);
    const client = createClient({ baseUrl: "https://api.example" });
    await client.ready();
    restores.push(patchFetch(client));
    await fetch("/config.json");
    expect(given.at(-1)).toBe("https://app.example/config.json");
    client.dispose();
  });

  it("restores the previous fetch, unless another library has replaced it since", async () => {
    const { browser, client, native } = await open();
    const restore = patchFetch(client);
    expect(fetch).not.toBe(native);
    restore();
    expect(fetch).toBe(native);
    const restoreAgain = patchFetch(client);
    const other: typeof fetch = (...request) => native(...request);
    globalThis.fetch = other;
    restoreAgain();
    expect(fetch).toBe(other);
    expect((await client.fetch("/api/orders/", order)).status).toBe(200);
    expect(browser.server.count("POST /api/orders/")).toBe(1);
    client.dispose();
  });

  it("leaves the client's option fetch in use, while the global fetch is patched and afterwards", async () => {
    const browser = createFakeBrowser();
    const given = stubPage(browser);
    let own = 0;
    const client = createClient({
      fetch: (input, init) => {
        own += 1;
        return browser.server.fetch(browser.jar, input, init);
      },
    });
    await client.ready();
    const restore = patchFetch(client);
    own = 0;
    await fetch("/api/orders/");
    await client.fetch("/api/orders/");
    restore();
    await client.fetch("/api/orders/");
    expect([own, given]).toEqual([3, []]);
    client.dispose();
  });

  it("sends the client's requests by the global fetch of the moment after it was restored", async () => {
    const { client } = await open();
    patchFetch(client)();
    let sent = 0;
    const before = fetch;
    vi.stubGlobal("fetch", (...request: Parameters<typeof fetch>) => {
      sent += 1;
      return before(...request);
    });
    await client.fetch("/api/orders/");
    expect(sent).toBe(1);
    client.dispose();
  });

  it("leaves URLs alone that aren't sent to a server, although a blob has the page's origin", async () => {
    const { client, given } = await open();
    restores.push(patchFetch(client));
    const init = { method: "POST" };
    for (const url of ["blob:https://app.example/1", "data:,x"]) await fetch(url, init).catch(() => undefined);
    expect(given).toEqual(["blob:https://app.example/1", "data:,x"]);
    client.dispose();
  });

  it("patches once if it is called twice for a client", async () => {
    const { client, given, native } = await open();
    const restore = patchFetch(client);
    const patched = fetch;
    patchFetch(client)();
    expect(fetch).toBe(patched);
    await fetch("/api/orders/");
    expect(given).toHaveLength(1);
    restore();
    expect(fetch).toBe(native);
    client.dispose();
  });

  it("serves two clients of two servers, each with its own credentials", async () => {
    const { browser, client, last } = await open();
    const app = createBearerClient({ baseUrl: "https://api.example", storage: toStorage(new Map()) });
    await app.login({ username: "bob", password: "secret" });
    restores.push(patchFetch(client), patchFetch(app));
    await fetch("https://api.example/api/orders/", order);
    expect(last()?.headers.get("Authorization")).toBe(`Bearer ${await app.accessToken()}`);
    await fetch("https://app.example/api/orders/", order);
    expect(last()?.headers.get("X-CSRFToken")).toBe(browser.jar.get("csrftoken"));
    expect(last()?.headers.get("Authorization")).toBeNull();
    for (const restore of restores.splice(0).reverse()) restore();
    client.dispose();
    app.dispose();
  });

  it("changes nothing in server rendering, where all users share one fetch", () => {
    const before = fetch;
    patchFetch(createClient())();
    expect(fetch).toBe(before);
  });
});
