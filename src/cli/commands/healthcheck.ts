import type { Command } from "commander";
import { loadConfig } from "../../server/config/config.ts";
import type { Context } from "../context.ts";
import { CommandError } from "../errors.ts";

interface HealthcheckFlags {
  readonly url?: string;
  readonly live?: true;
}

/** How long to wait for the answer, in milliseconds. */
const answerTimeout = 5_000;

/** Adds the command `healthcheck`. */
export function addHealthcheck(program: Command, context: Context): void {
  program
    .command("healthcheck")
    .description("Ask a running server whether it is ready. For containers, which may have no curl.")
    .option("--url <url>", "URL of the server (default: the settings host and port, on this machine).")
    .option("--live", "Ask only whether the process is alive.")
    .action((flags: HealthcheckFlags) => runHealthcheck(context, flags));
}

async function runHealthcheck({ directory, env, stdout }: Context, { url, live }: HealthcheckFlags): Promise<void> {
  const base = url ?? toOwnUrl((await loadConfig({ directory, env })).server);
  const target = URL.parse(live ? "/healthz" : "/readyz", base);
  if (target === null) throw new CommandError(`${url} is not a URL; use one such as http://127.0.0.1:8000`);
  const response = await fetch(target, { signal: AbortSignal.timeout(answerTimeout), redirect: "manual" }).catch(() => {
    throw new CommandError(`no server answers at ${target.origin}`);
  });
  const { status, detail } = (await response.json().catch(() => ({}))) as { status?: string; detail?: string };
  if (response.status !== 200) throw new CommandError(detail ?? `the server answered ${response.status}`);
  stdout.write(`${status ?? "ok"}\n`);
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
