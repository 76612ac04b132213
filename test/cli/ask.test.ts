import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { confirm, readNewPassword } from "../../src/cli/ask.ts";
import type { Context } from "../../src/cli/context.ts";

/** A terminal at which `answers` are typed, each when its question has been asked. */
function sitAt(answers: Readonly<Record<string, string>>): { readonly context: Context; readonly shown: () => string } {
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

describe("asking for a password", () => {
  it("says what is wrong with it before it asks again", async () => {
    const { context, shown } = sitAt({
      "Password:": "short\r",
      "too short": "\u0015long enough\r",
      "Password (again):": "long enough\r",
    });
    const findFault = async (text: string) => (text.length < 8 ? "This is too short." : null);
    expect(await readNewPassword(context, undefined, findFault)).toBe("long enough");
    expect(shown().indexOf("too short")).toBeLessThan(shown().indexOf("Password (again):"));
  });

  it("asks twice, and never shows what is typed", async () => {
    const { context, shown } = sitAt({ "Password:": "hunter2 hunter2\r", "Password (again):": "hunter2 hunter2\r" });
    expect(await readNewPassword(context, undefined, noFault)).toBe("hunter2 hunter2");
    expect(shown()).not.toContain("hunter2");
  });

  it("refuses two that differ", async () => {
    const { context } = sitAt({ "Password:": "one thing\r", "Password (again):": "another\r" });
    await expect(readNewPassword(context, undefined, noFault)).rejects.toThrow(
      "the two passwords differ; nothing was changed",
    );
  });

  it("does not take a blank one", async () => {
    const { context, shown } = sitAt({
      "Password:": "    \r",
      "may not be blank": "\u0015typed now\r",
      "Password (again):": "typed now\r",
    });
    expect(await readNewPassword(context, undefined, noFault)).toBe("typed now");
    expect(shown()).toContain("The password may not be blank.");
  });
});

describe("a password on stdin", () => {
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
  ])("is the line %j, without its end", async (text, password) => {
    expect(await read(text)).toBe(password);
  });

  it.each([
    ["", "stdin had no password"],
    ["\n", "stdin had no password"],
    [" \t \n", "stdin had no password"],
    ["one\ntwo\n", "stdin had more than one line"],
    [`${"x".repeat(5_000)}\n`, "longer than 1024 characters"],
  ])("is refused where stdin is not one line", async (text, reason) => {
    await expect(read(text)).rejects.toThrow(reason);
  });
});

describe("a question before something is lost", () => {
  it("is answered by yes alone", async () => {
    await expect(confirm(sitAt({ "go on": "yes\n" }).context, "Sure?")).resolves.toBeUndefined();
    await expect(confirm(sitAt({ "go on": "y\n" }).context, "Sure?")).rejects.toThrow("cancelled; nothing was changed");
  });

  it("is refused where nobody could answer", async () => {
    const nobody = { stdin: {}, stderr: {} } as unknown as Context;
    await expect(confirm(nobody, "Sure?")).rejects.toThrow("Sure? There is no terminal to ask; give --yes");
  });
});
