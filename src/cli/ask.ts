import { createInterface } from "node:readline/promises";
import { maxPasswordLength } from "../flows/passwords/policy.ts";
import { type Context, isInteractive } from "./context.ts";
import { CommandError, UsageError } from "./errors.ts";

/**
 * The maximum number of bytes to read from stdin. It is more than the longest password needs, and prevents reading an
 * endless stream.
 */
const maxLineLength = 4 * maxPasswordLength + 2;

/**
 * Reads a new password. It is one line from stdin or, on a terminal, typed twice without being shown.
 *
 * @param fromStdin whether to read stdin instead of asking.
 * @param findFault returns what is wrong with a typed password, or `null`. If something is wrong, the operator is asked
 * again.
 * @throws CommandError if there is no password, or no terminal to ask for it.
 */
export async function readNewPassword(
  context: Context,
  fromStdin: boolean | undefined,
  findFault: (password: string) => Promise<string | null>,
): Promise<string> {
  if (fromStdin) return readLine(context.stdin);
  if (!isInteractive(context)) {
    throw new CommandError("no terminal to ask for the password; pass it on stdin with --password-stdin");
  }
  const { default: ask } = await import("@inquirer/password");
  const streams = { input: context.stdin, output: context.stderr };
  const validate = async (text: string) =>
    text.trim() === "" ? "The password may not be blank." : ((await findFault(text)) ?? true);
  const password = await ask({ message: "Password:", toggleMask: false, validate }, streams);
  const again = await ask({ message: "Password (again):", toggleMask: false }, streams);
  if (password !== again) throw new CommandError("the passwords don't match; nothing was changed");
  return password;
}

async function readLine(stdin: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk));
    length += chunk.length;
    if (length > maxLineLength) {
      throw new CommandError(`the password on stdin is longer than ${maxPasswordLength} characters`);
    }
  }
  const line = decode(Buffer.concat(chunks)).replace(/\r?\n$/, "");
  if (line.trim() === "") throw new CommandError("no password on stdin; pass it as one line");
  if (/[\r\n]/.test(line)) throw new CommandError("more than one line on stdin; pass the password as one line");
  return line;
}

/**
 * Decodes the bytes as UTF-8.
 *
 * @throws CommandError if they are not UTF-8. Otherwise, every wrong byte would become the same character.
 */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CommandError("the password on stdin is not UTF-8");
  }
}

/**
 * Asks the operator to confirm with "yes".
 *
 * @param warning a sentence that says what will be lost.
 * @throws CommandError for any other answer.
 * @throws UsageError if there is no terminal on which to ask.
 */
export async function askToConfirm(context: Context, warning: string): Promise<void> {
  if (!isInteractive(context)) throw new UsageError(`${warning} Without a terminal, confirm with --yes`);
  const lines = createInterface({ input: context.stdin, output: context.stderr });
  try {
    const answer = await lines.question(`${warning} Type "yes" to continue: `);
    if (answer.trim().toLowerCase() !== "yes") throw new CommandError("cancelled; nothing was changed");
  } finally {
    lines.close();
  }
}
