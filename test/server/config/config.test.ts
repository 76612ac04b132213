import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../../src/server/config/config.ts";
import { createFolder } from "../folder.ts";

/** Loads the configuration of a folder with these files. */
function load(files: Record<string, string>, env: Record<string, string> = {}, flags = {}) {
  const directory = createFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return resolveConfig({ directory, env, flags });
}

describe("resolveConfig", () => {
  it("returns the contract's defaults if nothing is set", async () => {
    const { server, settings, source } = await load({});
    expect(server).toMatchObject({
      databaseUrl: "sqlite:./data/tokenpair.db",
      databaseSchema: "tokenpair",
      cleanupInterval: 0,
      signingKey: undefined,
      host: "127.0.0.1",
      port: 8000,
      metricsHost: "127.0.0.1",
      metricsPort: undefined,
      requestTimeout: 20,
      maxConnections: 20_000,
      strictTransportSecurity: 0,
      logLevel: "info",
      page: true,
      console: false,
      consoleHost: "127.0.0.1",
      consolePort: undefined,
    });
    expect(settings).toMatchObject({
      accessTokenLifetime: 1800,
      refreshTokenLifetime: 2_592_000,
      verifyCacheSize: 1000,
    });
    expect(source).toBe("the defaults");
  });

  it("overrides defaults by the file, the file by the environment, and the environment by flags", async () => {
    const { server, settings, source } = await load(
      { "tokenpair.config.json": '{"port": 1, "host": "a.example", "logLevel": "warn", "leeway": 5}' },
      { TOKENPAIR_PORT: "2", TOKENPAIR_HOST: "b.example" },
      { port: 3, host: undefined },
    );
    expect(server).toMatchObject({ port: 3, host: "b.example", logLevel: "warn", metricsHost: "127.0.0.1" });
    expect(settings.leeway).toBe(5);
    expect(source).toBe("tokenpair.config.json and 2 environment variables");
  });

  it.each([
    ["tokenpair.config.js", "export default { leeway: 7, claims: () => ({ role: 'x' }) };"],
    ["tokenpair.config.mjs", "export default { leeway: 7, claims: async () => ({}) };"],
    ["tokenpair.config.ts", "const leeway: number = 7; export default { leeway, claims: (): object => ({}) };"],
  ])("runs %s and takes functions from it", async (name, text) => {
    const { settings } = await load({ [name]: text });
    expect(settings.leeway).toBe(7);
    expect(settings.claims).toBeTypeOf("function");
  });

  it.each<[name: string, text: string, message: string]>([
    ["tokenpair.config.json", '{"port": "8000"}', "tokenpair.config.json: port: must be a port from 0 to 65535"],
    ["tokenpair.config.json", '{"accesTokenLifetime": 1}', "is not a setting. Did you mean accessTokenLifetime?"],
    ["tokenpair.config.json", '{"toString": 1}', "toString is not a setting."],
    ["tokenpair.config.json", "[]", "tokenpair.config.json: must be an object"],
    ["tokenpair.config.js", "export const leeway = 1;", "must export an object of settings as its default"],
    ["tokenpair.config.js", "export default { loadUser: 'yes' };", "loadUser: must be true or false"],
    [
      "tokenpair.config.js",
      "\nthrow new Error('no luck');",
      "tokenpair.config.js: Error at line 2; for details, run: node tokenpair.config.js",
    ],
    ["tokenpair.config.js", "throw 'no luck';", "tokenpair.config.js: it threw a value that isn't an Error;"],
  ])("refuses %s with %s", async (name, text, message) => {
    await expect(load({ [name]: text })).rejects.toThrow(message);
  });

  it("doesn't quote an invalid JSON file, which may hold the key", async () => {
    const loading = load({ "tokenpair.config.json": '{"signingKey": top-secret-key}' });
    await expect(loading).rejects.toThrow(/^tokenpair\.config\.json: is not valid JSON$/);
  });

  it.each([
    ["tokenpair.config.js", "export default {\n  signingKey: hunter2secret,\n};", "ReferenceError at line 2"],
    ["tokenpair.config.js", "throw new TypeError('hunter2secret');", "TypeError at line 1"],
  ])("doesn't quote %s in the error of a run that fails: %j", async (name, text, reason) => {
    const error: Error = await load({ [name]: text }).then(
      () => new Error("it was loaded"),
      (refusal: Error) => refusal,
    );
    expect(error.message).toContain(`${name}: ${reason}`);
    expect(inspect(error)).not.toContain("hunter2secret");
  });

  it("refuses two config files in one folder", async () => {
    const files = { "tokenpair.config.json": "{}", "tokenpair.config.mjs": "export default {};" };
    await expect(load(files)).rejects.toThrow(
      "found both tokenpair.config.mjs and tokenpair.config.json; keep one of them",
    );
  });

  it("refuses contradicting settings, whichever source each comes from", async () => {
    const files = { "tokenpair.config.json": '{"refreshTokenLifetime": 60}' };
    await expect(load(files)).rejects.toThrow("accessTokenLifetime must not be longer than refreshTokenLifetime");
    await expect(load(files, { TOKENPAIR_ACCESS_TOKEN_LIFETIME: "60" })).resolves.toMatchObject({
      settings: { accessTokenLifetime: 60, refreshTokenLifetime: 60 },
    });
  });
});
