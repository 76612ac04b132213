import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { toCliReference } from "../scripts/reference/cli.ts";
import { withEventTable } from "../scripts/reference/events.ts";
import { toHttpReference } from "../scripts/reference/http.ts";
import { toLlmsText } from "../scripts/reference/llms.ts";
import { toSettingsReference } from "../scripts/reference/settings.ts";
import { guide } from "../site/guide.ts";
import { configRules } from "../src/server/config/server-settings.ts";

const root = resolve(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

const code = "{ts,tsx,svelte,astro,vue,mjs}";

/** Returns the files of a folder that hold code. */
function listCode(folder: string): readonly string[] {
  // An installed example has a link to this folder among its packages, which must not be followed.
  return globSync([`${folder}/**/*.${code}`, `${folder}/.vitepress/**/*.${code}`], {
    cwd: root,
    exclude: (name) => basename(name) === "node_modules",
  });
}

describe("the documentation", () => {
  it("has the reference of the settings as the docstrings say it: `npm run docs`", () => {
    expect(read("docs/settings.md")).toBe(toSettingsReference());
  });

  it("describes every setting", () => {
    const [settings = ""] = read("docs/settings.md").split("## `createAuth`, only in code");
    const described = [...settings.matchAll(/^\| `(\w+)` /gm)].map(([, name]) => name);
    expect(described.sort()).toEqual(Object.keys(configRules).sort());
  });

  it("has the table of events as the catalogue says: `npm run docs`", () => {
    const page = read("docs/events.md");
    expect(page).toBe(withEventTable(page));
  });

  it("has the reference of the command line as its help says: `npm run docs`", async () => {
    expect(read("docs/cli.md")).toBe(await toCliReference());
  });

  it("has the reference of the HTTP API as the OpenAPI document says: `npm run docs`", async () => {
    expect(read("docs/http-api.md")).toBe(await toHttpReference());
  });

  it("has the index for coding agents as the guide says: `npm run docs`", () => {
    expect(read("llms.txt")).toBe(toLlmsText());
  });

  it("has every page of docs/ in the guide, once", () => {
    const listed = guide.flatMap(({ pages: group }) => group.map(([path]) => path));
    const wanted = pages.filter((path) => /^docs\/(?!decisions|postmortems|skill)/.test(path));
    expect(listed.filter((path) => path.startsWith("docs/") && path !== "docs/decisions/README.md").sort()).toEqual(
      wanted.sort(),
    );
  });

  it("describes every event", () => {
    const source = ["events", "feed-events", "key-events", "login-events", "staff-events"]
      .map((name) => read(`src/events/${name}.ts`))
      .join("");
    const types = [...source.matchAll(/readonly type: "(\w+)";/g)].map(([, type]) => type);
    const [, table = ""] = read("docs/events.md").split(/^## /m);
    const described = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, type]) => type);
    expect(described.sort()).toEqual(types.sort());
  });

  it("shows the example of a mobile app, which the proof `native` compiles and runs", () => {
    expect(read("docs/native.md")).toContain(`\`\`\`typescript\n${read("examples/native/client.ts")}\`\`\`\n`);
  });

  it("reads the variable of a mobile app as Expo's bundler replaces it, with a dot", () => {
    expect(read("examples/native/client.ts")).toContain("process.env.EXPO_PUBLIC_API_URL");
  });

  it("shows the server that `tokenpair init` writes", () => {
    expect(read("docs/install.md")).toContain(`// server.ts\n${read("examples/express.ts")}\`\`\`\n`);
  });

  it.each(pages)("%s links only to files that exist", (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link = ""]) => link);
    const broken = links.filter((link) => !existsSync(join(root, dirname(page), link)));
    expect(broken).toEqual([]);
  });

  it.each(pages)("%s names only tests that exist", (page) => {
    const named = [...read(page).matchAll(/`(test\/[\w./-]+\.(?:ts|script))`/g)].map(([, path = ""]) => path);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it("shows no signing key that a copied program would start with", () => {
    const key =
      /signing_?key["'\]]*\s*(?:[:=]|\?\?|\|\|)\s*(?:process\.env\W+\w+\W*(?:\?\?|\|\|)\s*)?["'`][^"'`]{20,}["'`]/gi;
    const known = [...pages, ...listCode("examples"), ...listCode("src"), ...listCode("site")].flatMap((path) =>
      [...read(path).matchAll(key)].map(([found]) => `${path}: ${found}`),
    );
    expect(known).toEqual([]);
  });

  it("has a row for every dependency in the decision about them", () => {
    const { dependencies } = JSON.parse(read("package.json"));
    const decided = read("docs/decisions/dependencies.md");
    expect(Object.keys(dependencies).filter((name) => !decided.includes(`| \`${name}\` |`))).toEqual([]);
  });
});
