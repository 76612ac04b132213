import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { resolveSettings } from "../../../src/core/settings/resolve.ts";
import { resolveConfig } from "../../../src/server/config/config.ts";
import { ConfigError } from "../../../src/server/config/config-error.ts";
import { createPage } from "../../../src/server/handlers/page.ts";
import { serve } from "../../../src/server/serve.ts";
import { createFolder } from "../folder.ts";

const origin = "https://auth.example";

function createSender(settings: Parameters<typeof resolveSettings>[0] = {}, build?: string) {
  const page = createPage(resolveSettings(settings), build === undefined ? {} : { build });
  return (path: string, init?: RequestInit) => page.fetch(new Request(new URL(path, origin), init));
}

/** Loads the page and, recursively, every file that it loads. @returns the responses by path. */
async function loadEverything(send: ReturnType<typeof createSender>): Promise<ReadonlyMap<string, Response>> {
  const loaded = new Map<string, Response>();
  const waiting = ["/"];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (loaded.has(path)) continue;
    const response = await send(path);
    loaded.set(path, response);
    const text = await response.clone().text();
    const found = path === "/" ? text.matchAll(/\b(?:src|href)="([^"]*)"/g) : text.matchAll(importPattern);
    for (const [, target = ""] of found) waiting.push(new URL(target, new URL(path, origin)).pathname);
  }
  return loaded;
}

const importPattern = /^(?:import|export)\b[^"';]*?\bfrom "([^"]+)";/gm;

/** Starts a server with or without the page. */
async function startServer(page: boolean): Promise<string> {
  const flags = { page, port: 0, databaseUrl: "sqlite::memory:" };
  const config = await resolveConfig({ directory: createFolder(), env: {}, flags });
  const server = await serve(config, { logTo: { write() {} } });
  onTestFinished(() => server.close());
  return server.url;
}

describe("the page", () => {
  it("has publicPath before the paths of its files and of the endpoints", async () => {
    const html = await (await createSender({ publicPath: "/account" })("/")).text();
    expect(html).toContain('<script type="module" src="/account/assets/page/main.js"></script>');
    expect(html).toContain('data-auth-path="/account/api/auth"');
    expect([...html.matchAll(/(?:src|href)="(\/[^"]*)"/g)].map(([, path]) => path?.split("/")[1])).toEqual(
      Array(6).fill("account"),
    );
  });

  it("has headers that allow only its own files", async () => {
    const { status, headers } = await createSender()("/");
    expect(status).toBe(200);
    expect(Object.fromEntries(headers)).toEqual({
      "cache-control": "no-cache",
      "content-length": expect.stringMatching(/^\d+$/),
      "content-security-policy":
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; " +
        "trusted-types 'none'",
      "content-type": "text/html; charset=utf-8",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      etag: expect.stringMatching(/^"[\w-]{22}"$/),
      "referrer-policy": "same-origin",
      "x-frame-options": "DENY",
      "x-content-type-options": "nosniff",
    });
  });

  it("has no inline script, style or event handler, and no URL of another origin", async () => {
    const html = await (await createSender()("/")).text();
    expect(html).toContain('<script type="module" src="/assets/page/main.js"></script>');
    expect(html.match(/<script\b/g)).toHaveLength(1);
    expect(html).not.toMatch(/<style\b|\sstyle=|\son\w+=|javascript:|\/\/(?!\w*>)/i);
  });

  it("is served with every file that it loads, with the right types and the same policy", async () => {
    const loaded = await loadEverything(createSender());
    const types = new Map([...loaded].map(([path, { headers }]) => [path, headers.get("Content-Type")]));
    expect([...loaded.values()].filter(({ status }) => status !== 200)).toEqual([]);
    expect(types.get("/assets/page/main.js")).toBe("text/javascript; charset=utf-8");
    expect(types.get("/assets/page/page.css")).toBe("text/css; charset=utf-8");
    expect(types.get("/assets/page/icon.svg")).toBe("image/svg+xml");
    expect(types.get("/assets/client/session/session.js")).toBe("text/javascript; charset=utf-8");
    expect([...types.keys()].filter((path) => path.startsWith("/assets/page/")).length).toBeGreaterThan(10);
    for (const { headers } of loaded.values()) {
      expect(headers.get("Content-Security-Policy")).toContain("default-src 'none'");
      expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    }
  });

  it("has scripts that never turn text into markup and name no other origin", async () => {
    const loaded = await loadEverything(createSender());
    for (const [path, response] of loaded) {
      const code = path.endsWith(".js") ? await response.text() : "";
      expect(code, path).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/);
      expect(code.replaceAll(/^\s*(?:\/?\*|\/\/).*$/gm, ""), path).not.toMatch(/["'`]https?:/);
    }
  });

  it("answers 304 if the client has the current file", async () => {
    const send = createSender();
    for (const path of ["/", "/assets/page/main.js"]) {
      const etag = (await send(path)).headers.get("ETag") ?? "";
      for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
        const response = await send(path, { headers: { "If-None-Match": known } });
        expect(response.status, known).toBe(304);
        expect(response.headers.get("ETag")).toBe(etag);
        expect(response.headers.get("Cache-Control")).toBe("no-cache");
        expect(await response.text()).toBe("");
      }
      expect((await send(path, { headers: { "If-None-Match": '"other"' } })).status).toBe(200);
    }
  });

  it("answers HEAD without a body, and 405 to POST, PUT and DELETE", async () => {
    const send = createSender();
    const get = await send("/");
    const head = await send("/", { method: "HEAD" });
    expect(await head.text()).toBe("");
    expect([...head.headers]).toEqual([...get.headers]);
    expect(head.headers.get("Content-Length")).toBe(String((await get.arrayBuffer()).byteLength));
    for (const method of ["POST", "PUT", "DELETE"]) expect((await send("/", { method })).status, method).toBe(405);
  });

  it("is not served at other paths, nor at paths that leave its folders", () => {
    const { handles } = createPage(resolveSettings({}));
    expect(handles("/")).toBe(true);
    const others = ["", "/index.html", "/assets", "/assets/", "/assets/page/", "/assets/page/index.html"];
    const notForBrowsers = ["/assets/page/main.d.ts", "/assets/page/tsconfig.tsbuildinfo", "/assets/server/page.js"];
    const hostile = ["/assets/page/../server/page.js", "/assets/page/..%2f..%2fpackage.json", "/assets/page/main.js/"];
    expect([...others, ...notForBrowsers, ...hostile].filter(handles)).toEqual([]);
  });

  it("contains the settings that its client needs, escaped", async () => {
    const read = async (settings: Parameters<typeof createSender>[0]) =>
      /<html [^>]*>/.exec(await (await createSender(settings)("/")).text())?.[0];
    expect(await read({})).toBe(
      '<html lang="en" data-auth-path="/api/auth" data-csrf-cookie="__Host-csrftoken" ' +
        'data-csrf-header-name="X-CSRFToken" data-passwords="here" data-demo="off">',
    );
    const findUser = async () => null;
    const csrfHeaderName = "X-XSRF-TOKEN";
    expect(await read({ authPath: "/login/api", insecureCookies: true, csrfHeaderName, findUser })).toBe(
      '<html lang="en" data-auth-path="/login/api" data-csrf-cookie="csrftoken" ' +
        'data-csrf-header-name="X-XSRF-TOKEN" data-passwords="elsewhere" data-demo="off">',
    );
    expect(await read({ csrfCookieName: "a&b" })).toContain('data-csrf-cookie="a&amp;b"');
  });

  it("names the development cookie in a page for this machine only", async () => {
    const page = createPage(resolveSettings({}), { developmentCookies: true });
    const read = async (ip: string, url = "http://localhost:8000/") =>
      /data-csrf-cookie="([^"]*)"/.exec(await (await page.fetch(new Request(url), { ip })).text())?.[1];
    expect(await read("127.0.0.1")).toBe("csrftoken");
    expect(await read("192.168.1.7")).toBe("__Host-csrftoken");
    expect(await read("127.0.0.1", "http://auth.example/")).toBe("__Host-csrftoken");
    const production = createPage(resolveSettings({}));
    const response = await production.fetch(new Request("http://localhost:8000/"), { ip: "127.0.0.1" });
    expect(await response.text()).toContain('data-csrf-cookie="__Host-csrftoken"');
  });

  it("stops the start with a ConfigError if it has not been built", () => {
    const build = createFolder();
    expect(() => createSender({}, build)).toThrow(ConfigError);
    for (const name of ["page", "client"]) mkdirSync(join(build, name));
    expect(() => createSender({}, build)).toThrow("run `npm run build`, or set page to false");
    writeFileSync(join(build, "page/index.html"), "<!doctype html>");
    expect(() => createSender({}, build)).not.toThrow();
  });

  it("is served at / of the server, while unknown paths get a 404 in JSON", async () => {
    const url = await startServer(true);
    const response = await fetch(`${url}/`);
    expect(response.headers.get("Content-Security-Policy")).toContain("frame-ancestors 'none'");
    expect(await response.text()).toContain("<!doctype html>");
    expect((await fetch(`${url}/`, { method: "HEAD" })).status).toBe(200);
    const missing = await fetch(`${url}/assets/page/nothing.js`);
    expect([missing.status, await missing.json()]).toEqual([404, { detail: "Not found.", code: "not_found" }]);
  });

  it("is not served if the setting page is false", async () => {
    const url = await startServer(false);
    for (const path of ["/", "/assets/page/main.js"]) {
      expect((await fetch(`${url}${path}`)).status, path).toBe(404);
    }
  });
});
