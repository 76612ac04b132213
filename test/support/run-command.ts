import { Readable, Writable } from "node:stream";
import type { Context } from "../../src/cli/context.ts";
import { run } from "../../src/cli/program.ts";

/** What a command of `tokenpair` has to work with. */
export interface CommandOptions {
  /** The working directory. Default: that of the tests. */
  readonly directory?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
  /** Whether it is told that it has a terminal. Default: false. */
  readonly isTTY?: boolean;
}

/** What a command has written, and its exit code. */
export interface CommandResult {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in this process, as src/cli/main.ts does: a process for each would take most of the time. */
export async function runCommand(
  args: readonly string[],
  { directory = ".", env = {}, stdin = "", isTTY = false }: CommandOptions = {},
): Promise<CommandResult> {
  const written = { stdout: "", stderr: "" };
  const toStream = (name: keyof typeof written) =>
    Object.assign(
      new Writable({
        write(chunk, _, done) {
          written[name] += chunk;
          done();
        },
      }),
      { isTTY },
    );
  const streams = {
    stdin: Object.assign(Readable.from([Buffer.from(stdin)]), { isTTY }),
    stdout: toStream("stdout"),
    stderr: toStream("stderr"),
  };
  const exit = await run(args, { directory, env, ...streams } as unknown as Context);
  return { exit, ...written };
}
