import { type Command, InvalidArgumentError } from "commander";
import { systemClock } from "../../core/runtime/clock.ts";
import type { CreatedKey, RunningServer } from "../../server/serve.ts";
import { riskOfInsecureCookies } from "../../staff/health/setting-checks.ts";
import { addCommand, type CommonOptions, loadConfigFor } from "../command.ts";
import type { Context } from "../context.ts";
import { toLogNotice } from "../format.ts";

interface ServeFlags extends CommonOptions {
  readonly host?: string;
  readonly port?: number;
  readonly demo?: true;
  readonly console?: true;
}

/** Adds the command `serve`. */
export function addServe(program: Command, context: Context): void {
  addCommand(program, "serve", "Migrate the database, then serve. Prints one line when ready.")
    .option("--host <host>", "Address to listen on (default: 127.0.0.1).")
    .option("--port <port>", "Port to listen on, 0 for any free port (default: 8000).", parsePort)
    .option("--console", "Also serve the console at /console/ and the staff API at /api/admin/.")
    .option(
      "--demo",
      "Create the user demo with a random password if there are no users, and use development cookies at localhost.",
    )
    .action((flags: ServeFlags) => runServe(context, flags));
}

async function runServe(context: Context, flags: ServeFlags): Promise<void> {
  const { host, port, demo = false } = flags;
  const config = await loadConfigFor(context, flags, {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(flags.console === undefined ? {} : { console: true }),
  });
  // Imported only now, because the other commands don't need the server and start faster without it.
  const [{ serve }, { closeOnSignals }] = await Promise.all([
    import("../../server/serve.ts"),
    import("../../server/lifecycle.ts"),
  ]);
  const onLogLost = (error: NodeJS.ErrnoException) => context.stderr.write(`${toLogNotice(error)}\n`);
  const server = await serve(config, { logTo: context.stdout, onLogLost, demo });
  closeOnSignals(server, process, systemClock.monotonic);
  if (config.settings.insecureCookies) {
    context.stderr.write(`Warning: insecureCookies is on. ${riskOfInsecureCookies}\n`);
  }
  if (demo) context.stderr.write(`${developmentCookiesNotice}\n`);
  printReady(context, flags, server);
}

/** The text that is printed at startup with `--demo`. */
const developmentCookiesNotice =
  "Development cookies are on: browsers on this machine get cookies without Secure, so that http://localhost works in all of them.";

function printReady({ stdout, stderr }: Context, { json }: ServeFlags, server: RunningServer): void {
  const { url, metricsUrl, consoleUrl, database, createdKey, warnings, demo } = server;
  if (createdKey !== null) stderr.write(`${toKeyNotice(createdKey)}\n`);
  for (const warning of warnings) stderr.write(`Warning: ${warning}\n`);
  if (metricsUrl !== null) stderr.write(`Metrics: ${metricsUrl}\n`);
  if (consoleUrl !== null) stderr.write(`Console: ${consoleUrl}\n`);
  if (demo !== null) {
    stderr.write(
      `There were no users. Created the user ${demo.username} with the password ${demo.password} (shown only once).\n` +
        `Log in: curl ${url}/api/token/ -d username=${demo.username} -d password=${demo.password}\n`,
    );
  }
  stdout.write(
    json
      ? `${JSON.stringify({ ready: true, url, metrics_url: metricsUrl, database })}\n`
      : `tokenpair is ready on ${url} (${database})\n`,
  );
}

function toKeyNotice({ key, file }: CreatedKey): string {
  return file === null
    ? `Created a ${key} in memory. It is lost when this process ends, as is the database.`
    : `Created a ${key} in ${file} (mode 0600). Back it up: without it, every user must log in again.`;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError("Use a port from 0 to 65535.");
  return port;
}
