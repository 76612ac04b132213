import { createInterface } from "node:readline/promises";
import { maxPasswordLength } from "../flows/passwords/policy.ts";
import { type Context, isInteractive } from "./context.ts";
import { Misused, Refused } from "./refused.ts";

/** In bytes: more than any password, so that a stream without an end is not read for ever. */
const maxLineLength = 4 * maxPasswordLength + 2;

/**
 * A new password: the one line on stdin or, on a terminal, typed twice without echo. On a terminal `findFault` says of the
 * first what is wrong with it, and it is asked for again.
 *
 * @throws Refused where there is no password or nobody to ask.
 */
export async function readNewPassword(
  context: Context,
  fromStdin: boolean | undefined,
  findFault: (password: string) => Promise<string | null>,
): Promise<string> {
  if (fromStdin) return readLine(context.stdin);
  if (!isInteractive(context)) {
    throw new Refused("there is no terminal to ask for the password; give it on stdin, with --password-stdin");
  }
  const { default: ask } = await import("@inquirer/password");
  const streams = { input: context.stdin, output: context.stderr };
  const validate = async (text: string) =>
    text.trim() === "" ? "The password may not be blank." : ((await findFault(text)) ?? true);
  const password = await ask({ message: "Password:", toggleMask: false, validate }, streams);
  const again = await ask({ message: "Password (again):", toggleMask: false }, streams);
  if (password !== again) throw new Refused("the two passwords differ; nothing was changed");
  return password;
}

async function readLine(stdin: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk));
    length += chunk.length;
    if (length > maxLineLength) {
      throw new Refused(`the password on stdin is longer than ${maxPasswordLength} characters`);
    }
  }
  const line = Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
  if (line.trim() === "") throw new Refused("stdin had no password; give it as one line");
  if (/[\r\n]/.test(line)) throw new Refused("stdin had more than one line; give the password as one line");
  return line;
}

/**
 * Has the question answered with "yes" before something is lost.
 *
 * @throws Refused at any other answer; Misused where nobody can be asked: a script says so with `--yes`.
 */
export async function confirm(context: Context, question: string): Promise<void> {
  if (!isInteractive(context)) throw new Misused(`${question} There is no terminal to ask; give --yes`);
  const lines = createInterface({ input: context.stdin, output: context.stderr });
  try {
    const answer = await lines.question(`${question} Type "yes" to go on: `);
    if (answer.trim().toLowerCase() !== "yes") throw new Refused("cancelled; nothing was changed");
  } finally {
    lines.close();
  }
}
