import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import type { LoadedFiles } from "../../scripts/loaded-files.ts";

const root = resolve(import.meta.dirname, "../..");
const recorder = join(root, "scripts/loaded-files.ts");

/** What a new process prints that records the files which it loads from dist. */
function run(
  script: string,
): readonly (LoadedFiles & { readonly userId?: string; readonly stores?: readonly string[] })[] {
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
    expect(imported?.packages["tokenpair"]).toBeLessThan(100);
    expect(imported?.addons).toEqual([]);
    expect(Object.keys(imported?.packages ?? {}).sort()).toEqual(["ipaddr.js", "leven", "tokenpair"]);
  });

  it("importing tokenpair/passwords loads neither a store, HTTP, the common passwords nor an addon until they are needed", () => {
    const [imported, checked, hashed] = run(`
      const { createPasswords } = await import("tokenpair/passwords");
      const { urls } = await import(${JSON.stringify(recorder)});
      const toRooms = () => [...new Set(urls.flatMap((url) => /dist\\/(\\w+)\\//.exec(url)?.[1] ?? []))].sort();
      const toData = () => urls.filter((url) => url.includes("common-passwords-data"));
      print({ stores: [...toRooms(), ...toData()] });
      const passwords = createPasswords();
      await passwords.check("correct horse battery");
      print({ stores: toData() });
      await passwords.hash("correct horse battery");
      print();`);
    expect(imported?.packages["tokenpair"]).toBeLessThan(45);
    expect(imported?.stores).toEqual(["core", "crypto", "flows", "passwords"]);
    expect(Object.keys(imported?.packages ?? {}).sort()).toEqual(["ipaddr.js", "leven", "tokenpair"]);
    expect(imported?.addons).toEqual([]);
    expect(checked?.stores).toHaveLength(1);
    expect(checked?.addons).toEqual([]);
    expect(hashed?.addons).toHaveLength(1);
  });

  it("tokenpair verifier loads neither a store, a driver nor an addon", () => {
    const [started] = run(`
      const { run } = await import(${JSON.stringify(join(root, "dist/cli/program.js"))});
      const { urls } = await import(${JSON.stringify(recorder)});
      const stdout = { write: (text, done) => done?.() };
      const options = ["--issuer", "http://localhost:1", "--audience", "api", "--listen", "127.0.0.1:0"];
      const env = { TOKENPAIR_FEED_CREDENTIAL: "tps_" + "c".repeat(43), TOKENPAIR_LOG_LEVEL: "silent" };
      const status = await run(["verifier", ...options], { directory: ${JSON.stringify(tmpdir())}, env, stdout, stderr: process.stderr });
      print({ userId: String(status), stores: urls.filter((url) => /dist\\/(?:store|flows\\/passwords)\\//.test(url)) });
      process.exit();`);
    expect(started?.userId).toBe("0");
    expect(started?.packages["pino"]).toBeGreaterThan(0);
    expect(started?.stores).toEqual([]);
    expect(started?.addons).toEqual([]);
    expect(
      Object.keys(started?.packages ?? {}).filter((name) => /^(?:pg|@node-rs\/.*|@inquirer\/.*|zod)$/.test(name)),
    ).toEqual([]);
  });
});
