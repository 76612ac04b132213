import { execFileSync } from "node:child_process";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { SchemaVersionError } from "../../../src/core/errors.ts";
import { createAuth } from "../../../src/create-auth.ts";
import { defineConfig, type LoadConfigOptions, loadConfig } from "../../../src/server/config/load.ts";
import { alice } from "../../support/auth.ts";
import { childEnvironment } from "../../support/child-environment.ts";
import { createFolder } from "../folder.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Creates the instance as an application does. */
async function open(directory: string, options: LoadConfigOptions = {}) {
  const config = await loadConfig({ directory, env: {}, ...options });
  closing.push(() => config.store.close());
  const auth = createAuth(config);
  closing.push(() => auth.close());
  await auth.ready();
  return { auth, config };
}

describe("loadConfig of tokenpair/config", () => {
  it("creates the database and a signing key that only its owner can read, and uses both again", async () => {
    const directory = createFolder();
    const first = await open(directory);
    await first.auth.users.create(alice);
    const { access } = await first.auth.login(alice);
    expect(statSync(join(directory, "data/signing.key")).mode & 0o777).toBe(0o600);
    const second = await open(directory);
    expect(await second.auth.authenticate({ headers: { authorization: `Bearer ${access}` } })).toMatchObject({
      userId: "1",
    });
    const { entries } = await second.auth.audit.list();
    expect(entries.filter(({ type }) => type === "key_changed")).toHaveLength(1);
  });

  it("takes the same settings as the server from the file, and lets the environment override them", async () => {
    const directory = createFolder();
    writeFileSync(
      join(directory, "tokenpair.config.json"),
      '{"databaseUrl": "sqlite:./own/app.db", "accessTokenLifetime": 60, "leeway": 3, "port": 1}',
    );
    const { config } = await open(directory, { env: { TOKENPAIR_LEEWAY: "4", PATH: "/bin" } });
    expect(config).toMatchObject({ accessTokenLifetime: 60, leeway: 4 });
    expect(existsSync(join(directory, "own/app.db"))).toBe(true);
    expect(existsSync(join(directory, "own/signing.key"))).toBe(true);
    expect(Object.keys(config)).not.toContain("port");
  });

  it("sees the variables that the config file itself has read from a file", async () => {
    const directory = createFolder();
    writeFileSync(join(directory, ".env"), "TOKENPAIR_LEEWAY=9\n");
    writeFileSync(
      join(directory, "tokenpair.config.mjs"),
      `process.loadEnvFile(${JSON.stringify(join(directory, ".env"))}); export default {};`,
    );
    const script = `import { loadConfig } from ${JSON.stringify(join(import.meta.dirname, "../../../src/server/config/load.ts"))};
      const { leeway, store } = await loadConfig(); await store.close(); console.log(leeway);`;
    const options = { cwd: directory, env: childEnvironment, encoding: "utf8" } as const;
    expect(execFileSync(process.execPath, ["--input-type=module", "-e", script], options)).toBe("9\n");
  });

  it("takes the config itself, and doesn't look for a file then", async () => {
    const directory = createFolder();
    writeFileSync(join(directory, "tokenpair.config.json"), '{"leeway": 1}');
    const config = defineConfig({ leeway: 2, claims: () => ({ plan: "free" }) });
    const { auth } = await open(directory, { config });
    await auth.users.create(alice);
    expect(await auth.verify((await auth.login(alice)).access)).toMatchObject({ payload: { plan: "free" } });
  });

  it.each([
    ["an unknown setting", { config: { leewy: 2 } as object }, "config: leewy is not a setting. Did you mean leeway?"],
    ["a wrong value", { config: { leeway: -1 } }, /^config: leeway: /],
    ["a wrong variable", { env: { TOKENPAIR_LEEWAY: "x" } }, /^TOKENPAIR_LEEWAY: /],
    [
      "PostgreSQL without a key",
      { env: { TOKENPAIR_DATABASE_URL: "postgres://localhost/a" } },
      /^signingKey: is required/,
    ],
    ["an unknown option", { migrat: false } as object, /migrat is not an option/],
  ] as const)("refuses %s", async (_, options, message) => {
    await expect(loadConfig({ directory: createFolder(), env: {}, ...options })).rejects.toThrow(message);
  });

  it("leaves the schema alone with migrate: false, and says that it must be migrated", async () => {
    const directory = createFolder();
    await expect(loadConfig({ directory, env: {}, migrate: false })).rejects.toThrow(SchemaVersionError);
    await open(directory);
    await open(directory, { migrate: false });
  });
});
