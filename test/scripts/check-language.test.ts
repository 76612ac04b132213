import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkLanguage } from "../../scripts/language/check.ts";

const inComment = (text: string) => checkLanguage("src/a.ts", `/** ${text} */`).map(({ found }) => found);
const inCode = (source: string) => checkLanguage("src/a.ts", source).map(({ line, found }) => `${line}: ${found}`);
const inPage = (source: string) => checkLanguage("README.md", source).map(({ line, found }) => `${line}: ${found}`);

describe("the language check", () => {
  it.each([
    ["Closes the store where it fails.", "where"],
    ["@throws TypeError where the secret is too short.", "where"],
    ["Returns `null` where a quote is open.", "where"],
    ["Also where nothing was revoked.", "where"],
    ["Where the commit fails, nothing is sent.", "Where"],
    ["Correct as far as the client knows.", "as far as"],
    ["An address that is none.", "is none"],
    ["A name that is no setting.", "that is no"],
    ["What is refused is logged.", "What is refused is"],
    ["The header has to be sent.", "has to be"],
    ["One row, however often it is refreshed.", "however often"],
    ["Whatever can fail is done first.", "Whatever can"],
    ["Nothing has changed then.", "Nothing has changed then."],
    ["Runs in a transaction of its own.", "a transaction of its own"],
    ["The session that asks continues.", "that asks"],
    ["Until the server is asked again.", "server is asked"],
    ["Whoever holds the key may sign.", "Whoever"],
    ["Nobody else holds the key.", "Nobody"],
    ["The listener is told.", "told"],
    ["It hears every event.", "hears"],
    ["The client needs patience.", "patience"],
    ["The prefix stands for the version.", "stands"],
    ["The session goes on.", "goes on"],
    ["A spent token comes back.", "comes back"],
    ["It lets nobody in.", "nobody, lets nobody"],
    ["Two logins crowd the queue.", "crowd"],
    ["A stranger sends the form.", "stranger"],
    ["The token is dead.", "dead"],
    ["Logging out kills it.", "kills"],
    ["The client blacklists the token.", "blacklists"],
    ["A logout ends all other sessions.", "ends all other sessions"],
    ["Emitted after a theft.", "theft"],
    ["The client renews the pair.", "renews"],
    ["Stored with the attempt id.", "attempt id"],
    ["Requests are shed.", "shed"],
    ["The change is announced.", "announced"],
  ])("finds the banned words in %j", (text, found) => {
    expect(inComment(text).join(", ")).toBe(found);
  });

  it.each([
    "Where the database is.",
    "The folder where the key is, and the page where the user logs in.",
    "Returns null if there is none.",
    "A thief and the owner: possible theft.",
    "Rows that are no longer used, and dead rows that autovacuum removes.",
    "The end of a token's lifetime.",
    "However, it has none of your own claims. It has not changed since then.",
    "The user is asked for a password. The response, whatever its status is.",
    'The endpoint `/api/token/blacklist/` answers "Token is blacklisted".',
    'Counts calls of "refresh", "verify" and "blacklist".',
    "Understands deadlocks, standards and `nobody` in code.",
    "SELECT id FROM sessions WHERE it = 1",
  ])("accepts %j", (text) => {
    expect(inComment(text)).toEqual([]);
  });

  it("prints what to write instead", () => {
    expect(checkLanguage("src/a.ts", "// The token is renewed.\n")).toEqual([
      { line: 1, found: "renewed", use: '"refresh"; the server "rotates"' },
    ]);
  });

  it("reads comments, strings, templates and identifiers, and nothing else", () => {
    const source = [
      'import { dead } from "./killed.ts";',
      "// One line, then where",
      "// it wraps.",
      "const limit = /stands/.exec(text);",
      'throw new Error("nobody is logged in");',
      "log(`$" + "{count} users: goes on, $" + "{count} times`);",
      "const SHED_LOAD = tellWhoIsPatient;",
    ].join("\n");
    expect(inCode(source)).toEqual(["1: dead", "2: where", "5: nobody", "6: goes on", "7: shed", "7: patient"]);
  });

  it("reports an identifier once in each file", () => {
    expect(inCode("let isDead = true;\nisDead = false;\n")).toEqual(["1: dead"]);
  });

  it("looks at the name of a file", () => {
    expect(checkLanguage("src/http/death-note.ts", "")).toMatchObject([{ line: 1, found: "death" }]);
  });

  it("finds a phrase that wraps in a docstring, and counts its lines", () => {
    expect(inCode("\n/**\n * The session goes\n * on.\n *\n * It has to be open.\n */\n")).toEqual([
      "3: goes on",
      "6: has to be",
    ]);
  });

  it("reads the text of a JSX element", () => {
    const found = checkLanguage("src/a.tsx", "export const a = <p>Nobody is logged in</p>;");
    expect(found).toMatchObject([{ line: 1, found: "Nobody" }]);
  });

  it("leaves out a page's inline code and link targets", () => {
    const page = "# Title\n\nThe `dead` letter is in [the queue](docs/nobody.md) and\nit goes on.\n\n- a stranger\n";
    expect(inPage(page)).toEqual(["4: goes on", "6: stranger"]);
  });

  it("excepts a word on the line of an exception that gives a reason", () => {
    expect(inCode('send("dead"); // language-allow "dead": the state\'s name in the protocol\n')).toEqual([]);
  });

  it("excepts a word in the passage that begins on the line after the exception", () => {
    const comment = '// language-allow "kill": the name of the system call\nsend(1);\n/**\n * To kill.\n */\n';
    expect(inCode(comment)).toEqual(['1: language-allow "kill"', "4: kill"]);
    expect(inCode(comment.replace("send(1);\n", ""))).toEqual([]);
    expect(inPage('<!-- language-allow "kill": the name of the system call -->\nUse kill.\n')).toEqual([]);
  });

  it("refuses an exception without a reason", () => {
    expect(inCode('send("dead"); // language-allow "dead":\n')).toEqual(["1: dead"]);
  });

  it("reports an exception that excepts nothing", () => {
    expect(inCode('// language-allow "dead": the state\'s name in the protocol\n')).toEqual([
      '1: language-allow "dead"',
    ]);
  });
});

describe("node scripts/check-language.ts", () => {
  const script = resolve(import.meta.dirname, "../../scripts/check-language.ts");
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tokenpair-language-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function run(name: string, text: string, ...options: string[]) {
    const path = join(folder, name);
    writeFileSync(path, text);
    return promisify(execFile)(process.execPath, [script, ...options, path]).catch((error) => error);
  }

  it("fails and prints place, word and suggestion of each finding", async () => {
    const { code, stderr, stdout } = await run("a.ts", "// It works.\n// Nobody knows.\n");
    expect(code).toBe(1);
    expect(stderr).toBe(`${join(folder, "a.ts")}:2: "Nobody": write the actor, "no client", "every user", "anyone"\n`);
    expect(stdout).toBe("language: 1 finding in 1 file\n");
  });

  it("passes a file without findings", async () => {
    expect((await run("b.ts", "// It works.\n")).stdout).toBe("language: 0 findings in 1 file\n");
  });

  it("counts the findings of each file", async () => {
    const { stdout } = await run("c.ts", "// Nobody knows.\n", "--counts");
    expect(stdout).toContain(`   1  ${join(folder, "c.ts")}\n`);
  });

  it("reads only the newest entry of the changelog", async () => {
    const { stdout } = await run("CHANGELOG.md", "# Changelog\n\n## 2\n\nFast.\n\n## 1\n\nNobody knows.\n");
    expect(stdout).toBe("language: 0 findings in 1 file\n");
  });
});
