import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { askToConfirm, readNewPassword } from "../../src/cli/ask.ts";
import type { Context } from "../../src/cli/context.ts";
import { choose } from "../../src/cli/init/choices.ts";

/** Creates a terminal at which each of `answers` is typed as soon as its question is shown. */
function createTerminal(answers: Readonly<Record<string, string>>): {
  readonly context: Context;
  readonly shown: () => string;
} {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode() {} });
  const stderr = Object.assign(new PassThrough(), { isTTY: true, columns: 80, end() {} });
  const waiting = new Map(Object.entries(answers));
  let shown = "";
  stderr.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    for (const [question, answer] of waiting) {
      if (!shown.includes(question)) continue;
      waiting.delete(question);
      setImmediate(() => stdin.write(answer));
    }
  });
  const context = { directory: ".", env: {}, stdin, stdout: stderr, stderr } as unknown as Context;
  return { context, shown: () => shown };
}

const noFault = async () => null;

describe("readNewPassword on a terminal", () => {
  it("says what is wrong with a password before it asks again", async () => {
    const { context, shown } = createTerminal({
      "Password:": "short\r",
      "too short": "\u0015long enough\r",
      "Password (again):": "long enough\r",
    });
    const findFault = async (text: string) => (text.length < 8 ? "This is too short." : null);
    expect(await readNewPassword(context, undefined, findFault)).toBe("long enough");
    expect(shown().indexOf("too short")).toBeLessThan(shown().indexOf("Password (again):"));
  });

  it("asks twice and never shows the password", async () => {
    const { context, shown } = createTerminal({
      "Password:": "hunter2 hunter2\r",
      "Password (again):": "hunter2 hunter2\r",
    });
    expect(await readNewPassword(context, undefined, noFault)).toBe("hunter2 hunter2");
    expect(shown()).not.toContain("hunter2");
  });

  it("refuses two passwords that differ", async () => {
    const { context } = createTerminal({ "Password:": "one thing\r", "Password (again):": "another\r" });
    await expect(readNewPassword(context, undefined, noFault)).rejects.toThrow(
      "the passwords don't match; nothing was changed",
    );
  });

  it("refuses a blank password and asks again", async () => {
    const { context, shown } = createTerminal({
      "Password:": "    \r",
      "may not be blank": "\u0015typed now\r",
      "Password (again):": "typed now\r",
    });
    expect(await readNewPassword(context, undefined, noFault)).toBe("typed now");
    expect(shown()).toContain("The password may not be blank.");
  });
});

describe("readNewPassword from stdin", () => {
  const read = (text: string) => {
    const stdin = new PassThrough();
    stdin.end(text);
    return readNewPassword({ stdin } as unknown as Context, true, noFault);
  };

  it.each([
    ["correct horse\n", "correct horse"],
    ["correct horse\r\n", "correct horse"],
    ["no line end", "no line end"],
    [" spaces are its own \n", " spaces are its own "],
    ["zwölf Grüße\n", "zwölf Grüße"],
  ])("reads the line %j without its line end", async (text, password) => {
    expect(await read(text)).toBe(password);
  });

  it.each([
    ["", "no password on stdin"],
    ["\n", "no password on stdin"],
    [" \t \n", "no password on stdin"],
    ["one\ntwo\n", "more than one line on stdin"],
    [`${"x".repeat(5_000)}\n`, "longer than 1024 characters"],
  ])("refuses %j, which is not one line with a password", async (text, reason) => {
    await expect(read(text)).rejects.toThrow(reason);
  });
});

describe("confirm", () => {
  it("accepts only yes", async () => {
    await expect(askToConfirm(createTerminal({ continue: "yes\n" }).context, "Sure?")).resolves.toBeUndefined();
    await expect(askToConfirm(createTerminal({ continue: "y\n" }).context, "Sure?")).rejects.toThrow(
      "cancelled; nothing was changed",
    );
  });

  it("requires --yes without a terminal", async () => {
    const noTerminal = { stdin: {}, stderr: {} } as unknown as Context;
    await expect(askToConfirm(noTerminal, "Sure?")).rejects.toThrow("Sure? Without a terminal, confirm with --yes");
  });
});

describe("the questions of init on a terminal", () => {
  it("begin with the framework of the project, and take the choice of the arrow keys", async () => {
    const { context } = createTerminal({
      "Which framework": "\r",
      "Which database": "\u001b[B\r",
      "Where does the front end": "\u001b[B\r",
    });
    const choices = { framework: "hono", database: "postgres", frontEnd: "bearer" };
    expect(await choose(context, {}, "hono")).toEqual(choices);
  });

  it("leave out what a flag answers, and the front end of Next", async () => {
    const { context, shown } = createTerminal({ "Which database": "\r" });
    const choices = { framework: "next", database: "sqlite", frontEnd: "cookie" };
    expect(await choose(context, { framework: "next" }, undefined)).toEqual(choices);
    expect(shown()).not.toContain("Which framework");
  });
});
