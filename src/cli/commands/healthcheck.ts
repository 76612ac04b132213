import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { systemClock } from "../../core/runtime/clock.ts";
import { resolveConfig } from "../../server/config/config.ts";
import type { Context } from "../context.ts";
import { CommandError } from "../errors.ts";
import { parseWhole } from "../parse-whole.ts";

interface HealthcheckFlags {
  readonly url?: string;
  readonly live?: true;
  readonly wait?: number;
}

/** How long to wait for the answer, in milliseconds. */
const answerTimeout = 5_000;

/** How long to pause between two questions with `--wait`, in milliseconds. */
const pause = 100;

const parseWait = parseWhole("a number of seconds", { from: 0, to: 3_600 });

/** Adds the command `healthcheck`. */
export function addHealthcheck(program: Command, context: Context): void {
  program
    .command("healthcheck")
    .description("Ask a running server whether it is ready, for example in a container without curl.")
    .option("--url <url>", "URL of the server (default: the settings host and port, on this machine).")
    .option("--live", "Ask only whether the process is alive.")
    .option("--wait <seconds>", "Repeat the check for up to this long, until the server is ready.", parseWait)
    .action((flags: HealthcheckFlags) => runHealthcheck(context, flags));
}

async function runHealthcheck({ directory, env, stdout }: Context, flags: HealthcheckFlags): Promise<void> {
  const { url, live, wait = 0 } = flags;
  const base = url ?? toOwnUrl((await resolveConfig({ directory, env })).server);
  const target = URL.parse(live ? "/healthz" : "/readyz", base);
  if (target === null) throw new CommandError(`${url} is not a URL; use one such as http://127.0.0.1:8000`);
  const until = systemClock.monotonic() + wait * 1_000;
  for (;;) {
    try {
      stdout.write(`${await askServer(target)}\n`);
      return;
    } catch (error) {
      if (systemClock.monotonic() >= until) throw error;
    }
    await sleep(pause);
  }
}

/**
 * Returns the status in the server's answer.
 *
 * @throws CommandError if there is no answer, or not 200.
 */
async function askServer(target: URL): Promise<string> {
  const response = await fetch(target, { signal: AbortSignal.timeout(answerTimeout), redirect: "manual" }).catch(() => {
    throw new CommandError(`no server answers at ${target.origin}`);
  });
  const { status, detail } = (await response.json().catch(() => ({}))) as { status?: string; detail?: string };
  if (response.status !== 200) throw new CommandError(detail ?? `the server answered ${response.status}`);
  return status ?? "ok";
}

/** A server that listens on all addresses is asked on this machine. */
function toOwnUrl({ host, port }: { readonly host: string; readonly port: number }): string {
  const own = new Map([
    ["0.0.0.0", "127.0.0.1"],
    ["::", "::1"],
  ]);
  const address = own.get(host) ?? host;
  return `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
}
