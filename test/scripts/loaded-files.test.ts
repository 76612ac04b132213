import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import type { LoadedFiles } from "../../scripts/loaded-files.ts";

const root = resolve(import.meta.dirname, "../..");
const recorder = join(root, "scripts/loaded-files.ts");

/** What a new process prints that records the files which it loads from dist. */
function run(script: string): readonly (LoadedFiles & { readonly userId?: string })[] {
  const whole = `
    import { listLoadedFiles } from ${JSON.stringify(recorder)};
    const print = (more) => console.log(JSON.stringify({ ...listLoadedFiles(), ...more }));
    ${script}`;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", whole], { cwd: root, encoding: "utf8" });
  return output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const serverOnly = /^(?:pino|commander|@prometheus-io\/client|@hono\/node-server|@inquirer\/.*|@node-rs\/.*|pg)$/;

describe("import of the built package", () => {
  it("importing tokenpair loads no native addon and no package of the server, and the first login loads argon2 only", () => {
    const [imported, loggedIn] = run(`
      const { createAuth } = await import("tokenpair");
      const { sqliteStore } = await import("tokenpair/sqlite");
      print();
      const store = sqliteStore(":memory:");
      await store.migrate();
      const auth = createAuth({ store, signingKey: "a signing key of this test alone, with 32 bytes", passwordMemoryCost: 7168, passwordTimeCost: 5 });
      await auth.ready();
      await auth.users.create({ username: "alice", password: "correct horse battery" });
      const { access } = await auth.login({ username: "alice", password: "correct horse battery" });
      const { userId } = await auth.authenticate({ authorization: "Bearer " + access });
      print({ userId });
      await auth.close();
      await store.close();`);
    expect(imported?.packages["tokenpair"]).toBeGreaterThan(50);
    expect(imported?.addons).toEqual([]);
    expect(Object.keys(imported?.packages ?? {}).filter((name) => serverOnly.test(name))).toEqual([]);
    expect(loggedIn?.userId).toBe("1");
    expect(loggedIn?.addons).toHaveLength(1);
    expect(loggedIn?.addons[0]).toMatch(/argon2[^/]*\.node$/);
  });

  it("importing tokenpair/verifier loads neither a store, a framework, a driver, a parser of schemas nor an addon", () => {
    const [imported] = run('await import("tokenpair/verifier"); print();');
    expect(imported?.packages["tokenpair"]).toBeGreaterThan(20);
    expect(imported?.packages["tokenpair"]).toBeLessThan(90);
    expect(imported?.addons).toEqual([]);
    expect(Object.keys(imported?.packages ?? {}).sort()).toEqual(["ipaddr.js", "leven", "tokenpair"]);
  });
});
