import { type Command, InvalidArgumentError } from "commander";
import { systemClock } from "../../core/runtime/clock.ts";
import type { RunningServer } from "../../server/serve.ts";
import { addCommand, type CommonOptions, loadConfigFor } from "../command.ts";
import type { Context } from "../context.ts";
import { riskOfInsecureCookies } from "../doctor/setting-checks.ts";

interface ServeFlags extends CommonOptions {
  readonly host?: string;
  readonly port?: number;
  readonly demo?: true;
}

export function addServe(program: Command, context: Context): void {
  addCommand(program, "serve", "migrate the database, then serve; prints one line when ready")
    .option("--host <host>", "the address to listen on (default: 127.0.0.1)")
    .option("--port <port>", "the port to listen on; 0 takes any free one (default: 8000)", parsePort)
    .option("--demo", "create a user demo with a random password if there are no users")
    .action((flags: ServeFlags) => runServe(context, flags));
}

async function runServe(context: Context, flags: ServeFlags): Promise<void> {
  const { host, port, demo = false } = flags;
  const config = await loadConfigFor(context, flags, {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
  });
  // Loaded here, so that the other commands start without the server.
  const [{ serve }, { endWithProcess }] = await Promise.all([
    import("../../server/serve.ts"),
    import("../../server/lifecycle.ts"),
  ]);
  const server = await serve(config, { logTo: context.stdout, demo });
  endWithProcess(server, process, systemClock.monotonic);
  if (config.settings.insecureCookies)
    context.stderr.write(`Warning: insecureCookies is on: ${riskOfInsecureCookies}.\n`);
  announce(context, flags, server);
}

function announce({ stdout, stderr }: Context, { json }: ServeFlags, server: RunningServer): void {
  const { url, metricsUrl, database, madeKey, demo } = server;
  if (madeKey !== null) stderr.write(`${toKeyNotice(madeKey.file)}\n`);
  if (metricsUrl !== null) stderr.write(`Metrics: ${metricsUrl}\n`);
  if (demo !== null) {
    stderr.write(
      `There were no users, so here is one: "${demo.username}" with the password ${demo.password} (shown only now).\n` +
        `Log in: curl ${url}/api/token/ -d username=${demo.username} -d password=${demo.password}\n`,
    );
  }
  stdout.write(
    json
      ? `${JSON.stringify({ ready: true, url, metrics_url: metricsUrl, database })}\n`
      : `tokenpair is ready on ${url} (${database})\n`,
  );
}

function toKeyNotice(file: string | null): string {
  return file === null
    ? "Made a signing key that ends with this process, as the database in memory does."
    : `Made a signing key and keep it in ${file} (mode 0600). Back it up with the database.`;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError("Must be a port from 0 to 65535.");
  return port;
}
