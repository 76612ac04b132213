import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { resolveConfig } from "../../../src/server/config/config.ts";
import { serve } from "../../../src/server/serve.ts";
import { sqliteStore } from "../../../src/store/sqlite/index.ts";
import { createFolder } from "../folder.ts";

/** Starts a server, without the page. */
async function start({ demo = true, host = "127.0.0.1", databaseUrl = "sqlite::memory:" } = {}) {
  const lines: string[] = [];
  const flags = { page: false, port: 0, host, databaseUrl, logLevel: "info" as const };
  const env = { TOKENPAIR_REUSE_INTERVAL: "0" };
  const config = await resolveConfig({ directory: createFolder(), env, flags });
  const server = await serve(config, { demo, logTo: { write: (line: string) => void lines.push(line) } });
  onTestFinished(() => server.close());
  return { server, lines, url: server.url.replace("0.0.0.0", "127.0.0.1") };
}

/** A page of the server: it keeps cookies, and sends the headers of a browser. */
function createPage(url: string) {
  const cookies = new Map<string, { readonly value: string; readonly path: string }>();

  async function send(method: string, path: string, body?: unknown, more: Readonly<Record<string, string>> = {}) {
    const sent = [...cookies].filter(([, cookie]) => path.startsWith(cookie.path));
    const response = await fetch(url + path, {
      method,
      headers: {
        Cookie: sent.map(([name, { value }]) => `${name}=${value}`).join("; "),
        "Sec-Fetch-Site": "same-origin",
        "X-CSRFToken": cookies.get("csrftoken")?.value ?? "",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...more,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = "", path = "/"] = /^([^=]+)=([^;]*).*?Path=([^;]+)/.exec(cookie) ?? [];
      if (value === "") cookies.delete(name);
      else cookies.set(name, { value, path });
    }
    return response;
  }

  return {
    send,
    cookies,
    async logIn(credentials: { readonly username: string; readonly password: string } | null) {
      await send("GET", "/api/auth/csrf/");
      expect((await send("POST", "/api/auth/login/", credentials)).status).toBe(200);
    },
    /** Opens a run. */
    async follow() {
      const response = await send("GET", "/demo/events/");
      expect(response.status).toBe(200);
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      onTestFinished(() => reader?.cancel());
      let text = "";
      /** Reads until the stream contains a text. */
      const until = async (part: string): Promise<string> => {
        while (!text.includes(part)) {
          const { value, done } = (await reader?.read()) ?? { done: true };
          if (done) throw new Error(`the stream ended without ${part}: ${text}`);
          text += value;
        }
        return text;
      };
      const [, run = ""] = /"id":"([^"]+)"/.exec(await until("canStartOver")) ?? [];
      return { run, until };
    },
  };
}

const paths = ["lose-response", "use-copy", "expire-access", "revoke", "disable", "start-over"].map(
  (name) => `/demo/${name}/`,
);
const buttons = [...paths, "/api/auth/demo/steal/"];

describe("the demonstration's endpoints", () => {
  it.each([
    ["without --demo", { demo: false }],
    ["if the server listens on other addresses too", { host: "0.0.0.0" }],
  ])("answer 404 %s", async (_, options) => {
    const { url } = await start(options);
    const { send } = createPage(url);
    expect((await send("GET", "/demo/events/")).status).toBe(404);
    for (const path of buttons) expect([path, (await send("POST", path, { run: "x" })).status]).toEqual([path, 404]);
  });

  it.each([
    ["a proxy forwards them", { "X-Forwarded-For": "192.0.2.1" }],
    ["they come from a page of another host", { Origin: "https://evil.example" }],
  ])("answer 404 if %s", async (_, headers) => {
    const { url } = await start();
    const { send } = createPage(url);
    expect((await send("GET", "/demo/events/", undefined, headers)).status).toBe(404);
    for (const path of buttons) expect((await send("POST", path, { run: "x" }, headers)).status).toBe(404);
  });

  it("refuse requests without a login, from another origin, without a CSRF token, and for another page's run", async () => {
    const { url, server } = await start();
    const page = createPage(url);
    expect((await page.send("GET", "/demo/events/")).status).toBe(401);
    for (const path of buttons.filter((path) => !path.includes("start-over"))) {
      expect([path, (await page.send("POST", path, { run: "x" })).status]).toEqual([path, 401]);
    }
    await page.logIn(server.demo);
    const { run } = await page.follow();
    for (const path of buttons) {
      const sibling = { Origin: "http://localhost:1", "Sec-Fetch-Site": "same-site" };
      expect([path, (await page.send("POST", path, { run }, sibling)).status]).toEqual([path, 403]);
      expect([path, (await page.send("POST", path, { run }, { "X-CSRFToken": "wrong" })).status]).toEqual([path, 403]);
      expect([path, (await page.send("POST", path, { run: "x" })).status]).toEqual([path, 404]);
    }
    const other = createPage(url);
    await other.logIn(server.demo);
    for (const path of buttons) expect((await other.send("POST", path, { run })).status).toBe(404);
    expect((await page.send("GET", "/demo/events/", undefined, { "Sec-Fetch-Site": "cross-site" })).status).toBe(403);
  });

  it("let a page start over once, and only after the demonstration itself has revoked its session", async () => {
    const { url, server } = await start();
    const page = createPage(url);
    await page.logIn(server.demo);
    const first = await page.follow();
    expect((await page.send("POST", "/demo/start-over/", { run: first.run })).status).toBe(404);
    expect((await page.send("POST", "/demo/revoke/", { run: first.run })).status).toBe(204);
    await first.until("event: outcome");
    const again = await page.send("POST", "/demo/start-over/", { run: first.run });
    expect([again.status, again.headers.getSetCookie().length]).toEqual([204, 4]);
    expect((await page.send("POST", "/demo/start-over/", { run: first.run })).status).toBe(404);

    const second = await page.follow();
    await page.send("POST", "/api/auth/logout/", { scope: "local" });
    await second.until("event: outcome");
    await page.send("GET", "/api/auth/csrf/");
    expect((await page.send("POST", "/demo/start-over/", { run: second.run })).status).toBe(404);
  });

  it("keep the attacker's tokens on the server, and out of the log", async () => {
    const { url, server, lines } = await start();
    const page = createPage(url);
    await page.logIn(server.demo);
    const { run, until } = await page.follow();
    const stolen = page.cookies.get("refresh")?.value ?? "";
    expect(stolen).toMatch(/^eyJ/);
    const answers = [await page.send("POST", "/api/auth/demo/steal/", { run })];
    await until("Copies your refresh token 0");
    answers.push(await page.send("POST", "/demo/use-copy/", { run }));
    await until("Is logged in as you");
    // The server counts the grace period in whole seconds, so the spent token still works in this one.
    await vi.waitFor(async () => {
      page.cookies.set("refresh", { value: stolen, path: "/api/auth" });
      expect((await page.send("POST", "/api/auth/refresh/", {})).status).toBe(401);
    }, 30_000);
    const text = await until("revealed it");
    expect(text).toContain("Access token refused");
    expect(answers.map(({ status }) => status)).toEqual([204, 204]);
    for (const shown of [text, lines.join("")]) expect(shown).not.toMatch(/eyJ[\w-]+\./);
  });

  it("end with the server, and enable a user who is still disabled", async () => {
    const file = join(createFolder(), "demo.db");
    const { url, server } = await start({ databaseUrl: `sqlite:${file}` });
    const page = createPage(url);
    await page.logIn(server.demo);
    const { run, until } = await page.follow();
    expect((await page.send("POST", "/demo/disable/", { run })).status).toBe(204);
    await until("Disabled on the other node");
    await server.close();
    await expect(until("never")).rejects.toThrow("the stream ended");
    const store = sqliteStore(file);
    onTestFinished(() => store.close());
    const entries = (await store.audit.read({ after: null, limit: 10, type: "user_changed" })).entries;
    expect(entries.map(({ details, actor }) => [details["change"], actor])).toEqual([
      ["created", null],
      ["disabled", "demonstration"],
      ["enabled", "demonstration"],
    ]);
  });
});
