import { Readable, Writable } from "node:stream";
import type { Context } from "../../src/cli/context.ts";
import { run } from "../../src/cli/program.ts";

/** The options of `runCommand`. */
interface CommandOptions {
  /** The working directory. Default: that of the tests. */
  readonly directory?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
  /** Whether its streams are terminals. Default: false. */
  readonly isTTY?: boolean;
}

/** What a command has written, and its exit code. */
interface CommandResult {
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

/** Does the same, and returns what the command has written to stdout. @throws Error with its stderr if it fails. */
export async function readOutput(args: readonly string[], options?: CommandOptions): Promise<string> {
  const { exit, stdout, stderr } = await runCommand(args, options);
  if (exit !== 0) throw new Error(`tokenpair ${args.join(" ")}: ${stderr}`);
  return stdout;
}
