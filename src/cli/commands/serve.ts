import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { systemClock } from "../../core/runtime/clock.ts";
import type { Config } from "../../server/config/config.ts";
import type { CreatedKey } from "../../server/config/open-database.ts";
import type { RunningServer } from "../../server/serve.ts";
import type { ReadyReport } from "../../server/workers/supervisor.ts";
import { riskOfInsecureCookies } from "../../staff/health/setting-checks.ts";
import { addCommand, type CommonOptions, loadConfigFor } from "../command.ts";
import type { Context } from "../context.ts";
import { toLogNotice } from "../format.ts";
import { parseWhole } from "../parse-whole.ts";

interface ServeFlags extends CommonOptions {
  readonly host?: string;
  readonly port?: number;
  readonly workers?: number;
  readonly demo?: true;
  readonly console?: true;
}

const parsePort = parseWhole("a port", { from: 0, to: 65_535 });

const parseWorkers = parseWhole("a number of workers", { from: 1, to: 256 });

/** Adds the command `serve`. */
export function addServe(program: Command, context: Context): void {
  addCommand(program, "serve", "Migrate the database, then serve. Prints one line when ready.")
    .option("--host <host>", "Address to listen on (default: 127.0.0.1).")
    .option("--port <port>", "Port to listen on, 0 for any free port (default: 8000).", parsePort)
    .option("--workers <number>", "Number of processes that answer requests (default: 1).", parseWorkers)
    .option("--console", "Also serve the console at /console/ and the staff API at /api/admin/.")
    .option(
      "--demo",
      "Create the user demo with a random password if there are no users, and use development cookies at localhost.",
    )
    .action((flags: ServeFlags) => runServe(context, flags));
}

async function runServe(context: Context, flags: ServeFlags): Promise<void> {
  const { host, port, workers } = flags;
  const config = await loadConfigFor(context, flags, {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(workers === undefined ? {} : { workers }),
    ...(flags.console === undefined ? {} : { console: true }),
  });
  await (config.server.workers === 1 ? runAlone(context, flags, config) : runWithWorkers(context, flags, config));
}

async function runAlone(context: Context, flags: ServeFlags, config: Config): Promise<void> {
  // Imported only now, because the other commands don't need the server and start faster without it.
  const [{ serve }, { closeOnSignals }] = await Promise.all([
    import("../../server/serve.ts"),
    import("../../server/lifecycle.ts"),
  ]);
  const server = await serve(config, { ...toLogOptions(context), demo: flags.demo === true });
  closeOnSignals(server, process, systemClock.monotonic);
  printReady(context, flags, { ...server, notices: toNotices(config, flags, server) });
}

/** Runs the supervisor of the workers, or in a process of theirs, a worker. */
async function runWithWorkers(context: Context, flags: ServeFlags, config: Config): Promise<void> {
  const [{ findWorkerLink, forkWorker }, { closeOnSignals }] = await Promise.all([
    import("../../server/workers/cluster-worker.ts"),
    import("../../server/lifecycle.ts"),
  ]);
  const link = findWorkerLink();
  if (link === null) {
    const { serveWithWorkers } = await import("../../server/workers/serve-workers.ts");
    const fork = (number: number) => forkWorker(number, main);
    const running = await serveWithWorkers(config, { ...toLogOptions(context), demo: flags.demo === true, fork });
    closeOnSignals(running, process, systemClock.monotonic);
    printReady(context, flags, running);
    return;
  }
  const { serve } = await import("../../server/serve.ts");
  const server = await serve(config, { ...toLogOptions(context), worker: link.role }).catch((error: unknown) => {
    link.release();
    throw error;
  });
  closeOnSignals(server, process, systemClock.monotonic);
  const { url, consoleUrl, database } = server;
  link.ready(server, { url, consoleUrl, database, notices: toNotices(config, flags, server) });
}

/** The file that runs the command line, also in this source. */
const main = fileURLToPath(new URL(`../main${extname(import.meta.filename)}`, import.meta.url));

function toLogOptions({ stdout, stderr }: Context) {
  const onLogLost = (error: NodeJS.ErrnoException) => void stderr.write(`${toLogNotice(error)}\n`);
  return { logTo: stdout, onLogLost };
}

/** The text that is printed at startup with `--demo`. */
const developmentCookiesNotice =
  "Development cookies are on: browsers on this machine get cookies without Secure, so that http://localhost works in all of them.";

/** Returns what the operator should know, in the order in which it is printed on stderr. */
function toNotices(
  { settings, server }: Config,
  { demo: isDemo }: ServeFlags,
  { url, consoleUrl, createdKey, warnings, demo }: RunningServer,
): readonly string[] {
  return [
    ...(settings.insecureCookies ? [`Warning: insecureCookies is on. ${riskOfInsecureCookies}`] : []),
    ...(isDemo ? [developmentCookiesNotice] : []),
    ...(createdKey === null ? [] : [toKeyNotice(createdKey)]),
    ...warnings.map((warning) => `Warning: ${warning}`),
    ...(demo === null
      ? []
      : [
          `There were no users. Created the user ${demo.username} with the password ${demo.password} (shown only once).`,
          ...(server.page ? [`Log in and try it: ${url}/`] : []),
          `Or log in with curl: curl ${url}/api/token/ -d username=${demo.username} -d password=${demo.password}`,
          ...(consoleUrl === null
            ? []
            : ["The console is for staff. Create an admin: tokenpair users create ada --role admin"]),
        ]),
  ];
}

function printReady(
  { stdout, stderr }: Context,
  { json }: ServeFlags,
  { url, metricsUrl, consoleUrl, database, notices }: ReadyReport & Pick<RunningServer, "metricsUrl">,
): void {
  for (const notice of notices) stderr.write(`${notice}\n`);
  if (metricsUrl !== null) stderr.write(`Metrics: ${metricsUrl}\n`);
  if (consoleUrl !== null) stderr.write(`Console: ${consoleUrl}\n`);
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
