import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { resolveConfig } from "../../src/server/config/config.ts";
import { ConfigError } from "../../src/server/config/config-error.ts";
import type { ServerSettings } from "../../src/server/config/server-settings.ts";
import { timeForStaff } from "../../src/server/console.ts";
import { type ServeOptions, serve } from "../../src/server/serve.ts";
import { findFreePort } from "../support/free-port.ts";
import { createFolder } from "./folder.ts";

async function start(flags: Partial<ServerSettings> = {}, options: Partial<ServeOptions> = {}) {
  const directory = createFolder();
  const config = await resolveConfig({ directory, env: {}, flags: { port: 0, ...flags } });
  const server = await serve(config, { logTo: { write: () => {} }, ...options });
  onTestFinished(() => server.close());
  return { ...server, directory };
}

/** Returns the status of every operation of the staff API, and of the console's own paths. */
async function readStatuses(url: string, operations: readonly (readonly [string, string])[]) {
  const paths = ["/console", "/console/", "/console/users/1", "/console/assets/x.js", "/api/admin", "/api/admin/"];
  const all = [...operations, ...paths.map((path) => ["get", path] as const)];
  const statuses = all.map(async ([method, path]) => {
    const response = await fetch(`${url}${path}`, { method: method.toUpperCase() });
    await response.body?.cancel();
    return [method, path, response.status] as const;
  });
  return Promise.all(statuses);
}

async function readOperations(url: string): Promise<readonly (readonly [string, string])[]> {
  const document = (await (await fetch(`${url}/api/admin/schema/`)).json()) as { paths: Record<string, object> };
  return Object.entries(document.paths).flatMap(([path, item]) =>
    path.startsWith("/api/admin/")
      ? Object.keys(item).map((method) => [method, path.replaceAll(/\{\w+\}/g, "1")] as const)
      : [],
  );
}

describe("the times that the console shows", () => {
  it("are those of logins, of their second steps, and of refreshes, and of nothing else", () => {
    const timed: string[] = [];
    const settings = { tokenPath: "/api/token", authPath: "/api/auth" };
    for (const path of [
      ...["/api/token", "/api/token/", "/api/token/continue/", "/api/auth/login/", "/api/auth/login/continue"],
      ...["/api/token/refresh/", "/api/auth/refresh"],
      ...["/", "/readyz", "/api/auth/", "/api/tokens", "/api/token/verify/", "/api/orders/refresh/", "/login"],
    ]) {
      const record = {
        id: "",
        method: "POST",
        path,
        status: 200,
        milliseconds: 1,
        ip: undefined,
        userAgent: undefined,
      };
      timeForStaff({ time: (what) => void timed.push(`${path} ${what}`) }, record, settings);
    }
    expect(timed).toEqual([
      ...["/api/token login", "/api/token/ login", "/api/token/continue/ login"],
      ...["/api/auth/login/ login", "/api/auth/login/continue login"],
      ...["/api/token/refresh/ refresh", "/api/auth/refresh refresh"],
    ]);
  });
});

describe("the console of the server", () => {
  it("is 404 everywhere when it is off, and on the public listener when it has its own", async () => {
    const own = await start({ console: true, consolePort: await findFreePort() });
    const consoleUrl = new URL(own.consoleUrl ?? "").origin;
    const operations = await readOperations(consoleUrl);
    expect(operations.length).toBeGreaterThan(10);
    const off = await start();
    expect(off.consoleUrl).toBeNull();
    for (const url of [own.url, off.url]) {
      expect((await readStatuses(url, operations)).filter(([, , status]) => status !== 404)).toEqual([]);
    }
    const isProtected = (await readStatuses(consoleUrl, operations)).filter(
      ([, path]) => path.startsWith("/api/admin/") && path !== "/api/admin/" && path !== "/api/admin/schema/",
    );
    expect(isProtected.map(([, , status]) => status)).toEqual(isProtected.map(() => 401));
  });

  it("also serves login and account on its own listener", async () => {
    const { consoleUrl } = await start({ console: true, consolePort: await findFreePort() });
    const { origin } = new URL(consoleUrl ?? "");
    expect((await fetch(`${origin}/api/auth/me/`)).status).toBe(401);
    expect((await fetch(`${origin}/`)).status).toBe(200);
  });

  it("isn't ready from SIGTERM on, accepts connections for shutdownDelay, and then ends its streams, on any port", async () => {
    const expectGraceful = async (flags: Partial<ServerSettings>) => {
      const server = await start({ console: true, shutdownDelay: 5, ...flags }, { demo: true });
      const { url, consoleUrl, close, demo, directory } = server;
      const { origin } = new URL(consoleUrl ?? "");
      const database = new DatabaseSync(join(directory, "data/tokenpair.db"));
      database.exec("UPDATE users SET role = 'viewer'");
      database.close();
      const login = await fetch(`${origin}/api/token/`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(demo),
      });
      const { access } = (await login.json()) as { access: string };
      const headers = { Authorization: `Bearer ${access}` };
      const stream = await fetch(`${origin}/api/admin/audit/stream/`, { headers });
      // It rejects if the server destroys the connection, as it does with requests that take too long.
      const ended = stream.text();

      const closing = close();
      for (const each of [origin, url]) {
        const ready = await fetch(`${each}/readyz`);
        expect([ready.status, ready.headers.get("connection")]).toEqual([503, "close"]);
        await ready.body?.cancel();
      }
      // On a new connection, because the one before was closed.
      expect((await fetch(`${origin}/api/admin/me/`, { headers })).status).toBe(200);
      expect(await ended).not.toContain("event: closed");
      await closing;
      for (const each of [origin, url]) await expect(fetch(`${each}/readyz`)).rejects.toThrow();
    };
    // The console has the port of all requests, or its own.
    await Promise.all([expectGraceful({}), expectGraceful({ consolePort: await findFreePort() })]);
  });

  it("doesn't add the staff API to the public OpenAPI document", async () => {
    const { url } = await start({ console: true });
    const { paths } = (await (await fetch(`${url}/api/schema/`)).json()) as { paths: object };
    expect(Object.keys(paths).filter((path) => path.startsWith("/api/admin"))).toEqual([]);
  });

  it("shows the checks of doctor and the settings of the server, without what is secret", async () => {
    const signingKey = "Zf8q2LrX5vTn7KdW9sHc3PbYj6MgRa4EuCiQxVzB1No";
    const server = await start({ console: true, signingKey }, { demo: true });
    const { url, demo } = server;
    const post = (path: string, body: object) =>
      fetch(`${url}${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
    const { access } = (await (await post("/api/token/", demo ?? {})).json()) as { access: string };
    const database = new DatabaseSync(join(server.directory, "data/tokenpair.db"));
    database.exec("UPDATE users SET role = 'viewer'");
    database.close();
    const response = await fetch(`${url}/api/admin/health/`, { headers: { Authorization: `Bearer ${access}` } });
    const text = await response.text();
    expect(text).not.toContain(signingKey);
    const { checks, settings, database: facts } = JSON.parse(text);
    const names = checks.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(["schema", "file mode", "signing key", "trustedProxies"]));
    expect(settings).toContainEqual({ name: "console", value: "true", is_set: true });
    expect(settings.filter(({ name }: { name: string }) => /signingKey|databaseUrl|secret/i.test(name))).toEqual([]);
    expect(facts[0]).toEqual({ name: "Engine", value: "SQLite" });
  });

  it.each([[{ host: "0.0.0.0" }], [{ consoleHost: "0.0.0.0", consolePort: 1 }]])(
    "refuses to start over plain http at an address of the network: %j",
    async (flags) => {
      await expect(start({ console: true, ...flags })).rejects.toThrow(ConfigError);
    },
  );
});
