import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listUnusedFiles } from "../scripts/unused-files.ts";
import { createPackageFolder, type PackageFolder, run } from "./support/packed-package.ts";

const root = resolve(import.meta.dirname, "..");
const manifest: { exports: Record<string, string>; dependencies: Record<string, string> } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8"),
);

/** What the public entries must hand out; another name is a change of the API. */
const api: Readonly<Record<string, readonly string[]>> = {
  tokenpair: [
    "AuthError",
    "SchemaVersionError",
    "SettingError",
    "StoreUnavailableError",
    "createAuth",
    "days",
    "defaultSettings",
    "hours",
    "minutes",
    "safeNext",
    "sharedAuth",
    "traceNames",
  ],
  "tokenpair/sqlite": ["sqliteStore"],
  "tokenpair/postgres": ["postgresStore"],
  "tokenpair/node": ["consoleRoutes", "cors", "requirePage", "requireUser", "sessionStarter", "toNodeHandler"],
  "tokenpair/express": ["authRoutes", "consoleRoutes", "cors", "requirePage", "requireUser", "sessionStarter"],
  "tokenpair/fastify": ["authRoutes", "consoleRoutes", "cors", "requirePage", "requireUser", "sessionStarter"],
  "tokenpair/hono": ["authRoutes", "consoleRoutes", "cors", "requirePage", "requireUser", "sessionStarter"],
  "tokenpair/next": ["action", "handlers", "pages", "proxy", "sharedAuth", "withUser"],
  "tokenpair/config": ["ConfigError", "defineConfig", "loadConfig"],
  "tokenpair/console": ["createConsole"],
  "tokenpair/verifier": ["AuthError", "SettingError", "createVerifier"],
  "tokenpair/passwords": ["AuthError", "SettingError", "createPasswords"],
  "tokenpair/nestjs": ["AuthGuard", "AuthSockets", "CurrentUser", "InjectAuth", "Public", "StepUp", "TokenpairModule"],
  "tokenpair/client": ["ClientError", "createClient", "patchFetch", "userSessions", "watchSession"],
  "tokenpair/client/bearer": [
    "ClientError",
    "createBearerClient",
    "followAppState",
    "patchFetch",
    "toSecureStorage",
    "userSessions",
    "watchSession",
  ],
  "tokenpair/react": ["useSession"],
};

/** Without a framework, a driver of somebody else's, or a development dependency in reach. */
describe("the packed package in an empty folder", () => {
  let folder: string;
  let packed: PackageFolder;

  beforeAll(() => {
    packed = createPackageFolder("runtime");
    folder = packed.path;
  });
  afterAll(() => packed.remove());

  it.each(Object.keys(api).filter((entry) => !["tokenpair/nestjs", "tokenpair/react"].includes(entry)))(
    "%s imports and exports what it promises",
    (entry) => {
      const script = `console.log(JSON.stringify(Object.keys(await import(${JSON.stringify(entry)})).sort()))`;
      expect(JSON.parse(run(process.execPath, ["--input-type=module", "-e", script], folder))).toEqual(api[entry]);
    },
  );

  it("can be required from CommonJS, every entry", () => {
    const entries = Object.keys(api).filter((entry) => !["tokenpair/nestjs", "tokenpair/react"].includes(entry));
    const script = `for (const entry of ${JSON.stringify(entries)}) console.log(Object.keys(require(entry)).length > 0)`;
    const output = run(process.execPath, ["--input-type=commonjs", "-e", script], folder);
    expect(output.trim().split("\n")).toEqual(entries.map(() => "true"));
  });

  it("names every entry in the table above", () => {
    const entries = Object.keys(manifest.exports).filter((path) => path !== "./package.json");
    expect(entries.map((path) => path.replace(".", "tokenpair")).sort()).toEqual(Object.keys(api).sort());
  });

  it.each([
    ["index.js", "cookie-transport.js", "bearer-transport.js"],
    ["bearer/index.js", "bearer-transport.js", "cookie-transport.js"],
  ])("loads with client/%s only files of the client, among them %s but not %s", (entry, own, other) => {
    const client = join(folder, "node_modules/tokenpair/dist/client");
    const files = listLoaded(join(client, entry)).map((file) => relative(client, file));
    expect(files.filter((file) => file.startsWith(".."))).toEqual([]);
    const names = files.map((file) => basename(file));
    expect(names).toContain(own);
    expect(names).not.toContain(other);
  });

  it("loads nothing of the console with tokenpair or an adapter", () => {
    const dist = join(folder, "node_modules/tokenpair/dist");
    const entries = Object.values(manifest.exports).filter((path) => path.endsWith(".js") && !path.includes("/staff/"));
    const loaded = entries.flatMap((path) =>
      listLoaded(join(dist, "..", path), true).map((file) => relative(dist, file)),
    );
    expect(loaded).toContain("create-auth.js");
    expect(loaded.filter((file) => /^(?:staff|console)\//.test(file))).toEqual([]);
  });

  it("holds what a user reads and nothing of ours", () => {
    const files = readdirSync(join(folder, "node_modules/tokenpair"));
    const pages = ["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md"];
    expect(files.sort()).toEqual([...pages, "deploy", "dist", "docs", "examples", "llms.txt", "package.json"]);
    const compiled = readdirSync(join(folder, "node_modules/tokenpair/dist"), { recursive: true, encoding: "utf8" });
    expect(compiled.filter((name) => name.endsWith(".tsbuildinfo"))).toEqual([]);
    expect(compiled).toContain("page/index.html");
    expect(compiled.filter((name) => name.endsWith(".map"))).toEqual([]);
    expect(listUnusedFiles(join(folder, "node_modules/tokenpair"))).toEqual([]);
    // Some examples have packages of their own, which may be installed here.
    const examples = readdirSync(join(folder, "node_modules/tokenpair/examples"), {
      recursive: true,
      encoding: "utf8",
    });
    expect(examples.filter((name) => name.includes("node_modules"))).toEqual([]);
  });

  it("has no link and no picture in its pages that it lacks", () => {
    const at = join(folder, "node_modules/tokenpair");
    const pages = readdirSync(at, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".md"));
    expect(pages).toContain("docs/operating.md");
    const dead = pages.flatMap((page) =>
      [
        ...readFileSync(join(at, page), "utf8").matchAll(
          /(?:\]\(|^ *<(?:source|img)\b[^>]*? src(?:set)?=")(?!https?:|#)([^)#"]+)/gm,
        ),
      ]
        .map(([, link = ""]) => link)
        .filter((link) => !existsSync(join(at, dirname(page), link)))
        .map((link) => `${page}: ${link}`),
    );
    expect(dead).toEqual([]);
  });

  it("runs a login from the embedded store to the claims", () => {
    const script = `
      import { createAuth } from "tokenpair";
      import { sqliteStore } from "tokenpair/sqlite";
      const store = sqliteStore(":memory:");
      await store.migrate();
      const auth = createAuth({ store, signingKey: "a key of the package test, of 32 bytes" });
      await auth.ready();
      await auth.users.create({ username: "alice", password: "correct horse battery" });
      const { access } = await auth.login({ username: "alice", password: "correct horse battery" });
      console.log((await auth.authenticate({ headers: { authorization: "Bearer " + access } })).userId);
      await auth.close();
      await store.close();`;
    expect(run(process.execPath, ["--input-type=module", "-e", script], folder).trim()).toBe("1");
  });

  it("has a command line that can be run by its path, as npx does in this folder", () => {
    expect(statSync(join(root, "dist/cli/main.js")).mode & 0o111).toBe(0o111);
  });

  it("has a command line that says its version", () => {
    const cli = join(folder, "node_modules/tokenpair/dist/cli/main.js");
    expect(run(process.execPath, [cli, "--version"], folder).trim()).toMatch(/^\d+\.\d+\.\d+$/);
  });
});

/** Returns the files of this package that a module loads, itself included. */
function listLoaded(path: string, mayImportPackages = false, loaded = new Set<string>()): readonly string[] {
  if (loaded.has(path)) return [];
  loaded.add(path);
  for (const [, specifier = ""] of readFileSync(path, "utf8").matchAll(
    /^(?:import|export)\b[^"';]*?\bfrom "([^"]+)";/gm,
  )) {
    if (!mayImportPackages) expect(specifier).toMatch(/^\./);
    if (specifier.startsWith(".")) listLoaded(resolve(dirname(path), specifier), mayImportPackages, loaded);
  }
  return [...loaded];
}
