import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { toErrorCode } from "../../core/errors.ts";
import { systemClock } from "../../core/runtime/clock.ts";
import { parseIssuerUrl } from "../../core/settings/issuer-url.ts";
import { type Config, resolveConfig } from "../../server/config/config.ts";
import type { Address, RunningSidecar } from "../../server/sidecar/sidecar.ts";
import type { Context } from "../context.ts";
import { CommandError } from "../errors.ts";
import { toLogNotice } from "../format.ts";

interface VerifierFlags {
  readonly issuer?: string;
  readonly url?: string;
  readonly audience?: string;
  readonly credentialFile?: string;
  readonly listen: Address;
  readonly maxStaleness?: number;
  readonly write?: string;
  readonly relayCredentialsFile?: string;
  readonly longestLease?: number;
  readonly metrics?: Address;
  readonly json?: true;
}

const defaultAddress: Address = { host: "127.0.0.1", port: 9000 };

/** Adds the command `verifier`. It has none of the options about a database. */
export function addVerifier(program: Command, context: Context): void {
  program
    .command("verifier")
    .description("Check tokens without a database, for proxies and for services that read the sidecar's file or feed.")
    .option("--issuer <url>", "Issuer of the tokens (default: TOKENPAIR_ISSUER).")
    .option("--url <url>", "URL at which to reach the issuer, if it isn't --issuer (default: TOKENPAIR_URL).")
    .option("--audience <name>", "Audience of the tokens (default: TOKENPAIR_AUDIENCE).")
    .option(
      "--credential-file <file>",
      "File with the credential of a service with the scope feed (default: TOKENPAIR_FEED_CREDENTIAL).",
    )
    .option("--listen <address>", "Address and port to listen on (default: 127.0.0.1:9000).", parseAddress)
    .option("--max-staleness <seconds>", "How old the revocations may be (default: 10).", parseSeconds)
    .option("--write <file>", "Keep all revocations in this file, and the keys in FILE.jwks.json.")
    .option(
      "--relay-credentials-file <file>",
      "Serve the feed to clients that have a credential in this file, one per line (default: TOKENPAIR_RELAY_CREDENTIALS).",
    )
    .option(
      "--longest-lease <seconds>",
      "Longest max-staleness of a reader of the feed (default: 1.25 times --max-staleness).",
      parseSeconds,
    )
    .option("--metrics <address>", "Address and port of the metrics (default: none).", parseAddress)
    .option("--json", "Print JSON.")
    .action((flags: VerifierFlags) => runVerifier(context, flags));
}

async function runVerifier(context: Context, flags: VerifierFlags): Promise<void> {
  const { directory, env, stdout, stderr } = context;
  const { issuer, audience, maxStaleness, longestLease, write, listen = defaultAddress, metrics = null } = flags;
  const given = { issuer, audience, maxStaleness };
  const config = await resolveConfig({
    directory,
    env,
    flags: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  });
  requireTokenSource(config);
  const credential = readCredential(context, flags);
  const relayCredentials = readRelayCredentials(context, flags);
  const url = flags.url ?? env["TOKENPAIR_URL"];
  // Imported only now, so that `help` starts fast.
  const [{ startSidecar }, { closeOnSignals }] = await Promise.all([
    import("../../server/sidecar/sidecar.ts"),
    import("../../server/lifecycle.ts"),
  ]);
  const sidecar = await startSidecar(config, {
    url,
    credential,
    relayCredentials,
    longestLease,
    listen,
    metrics,
    file: write === undefined ? null : resolve(directory, write),
    logTo: stdout,
    onLogLost: (error) => stderr.write(`${toLogNotice(error)}\n`),
  });
  closeOnSignals(sidecar, process, systemClock.monotonic);
  if (isPlain(url)) stderr.write(`Warning: ${url} isn't https, so others on the network can read the credential.\n`);
  printReady(context, flags, config, sidecar);
}

/** @throws CommandError if it isn't said whose tokens are accepted. */
function requireTokenSource({ settings: { issuer, audience } }: Config): void {
  if (issuer === undefined) throw new CommandError("the issuer is missing; set it with --issuer or TOKENPAIR_ISSUER");
  if (parseIssuerUrl(issuer) === null) {
    throw new CommandError("the issuer must be an https URL, or an http URL of this machine, without a query");
  }
  if (audience === undefined) {
    throw new CommandError("the audience is missing; set it with --audience or TOKENPAIR_AUDIENCE");
  }
}

function readCredential({ directory, env }: Context, { credentialFile }: VerifierFlags): string {
  const credential =
    credentialFile === undefined ? env["TOKENPAIR_FEED_CREDENTIAL"] : readText(directory, credentialFile).trim();
  if (credential !== undefined && credential !== "") return credential;
  throw new CommandError(
    "the credential is missing; create one at the issuer with `tokenpair services create NAME --scope feed`, and set it " +
      "with --credential-file or TOKENPAIR_FEED_CREDENTIAL",
  );
}

function readRelayCredentials({ directory, env }: Context, { relayCredentialsFile }: VerifierFlags): readonly string[] {
  const text =
    relayCredentialsFile === undefined
      ? (env["TOKENPAIR_RELAY_CREDENTIALS"] ?? "").replaceAll(",", "\n")
      : readText(directory, relayCredentialsFile);
  const lines = text.split("\n").map((line) => line.trim());
  const credentials = lines.filter((line) => line !== "" && !line.startsWith("#"));
  if (relayCredentialsFile === undefined || credentials.length > 0) return credentials;
  throw new CommandError(`${relayCredentialsFile} has no credentials; write one per line, each tps_ and 43 characters`);
}

function readText(directory: string, file: string): string {
  try {
    return readFileSync(resolve(directory, file), "utf8");
  } catch (error) {
    throw new CommandError(`${file} can't be read (${toErrorCode(error) ?? "unknown error"}); check its path and mode`);
  }
}

/** Whether the credential goes over the network as plain text. */
function isPlain(url: string | undefined): boolean {
  return url !== undefined && parseIssuerUrl(url) === null;
}

function printReady(
  { stdout, stderr }: Context,
  { json }: VerifierFlags,
  { settings: { issuer } }: Config,
  { url, metricsUrl }: RunningSidecar,
): void {
  if (metricsUrl !== null) stderr.write(`Metrics: ${metricsUrl}\n`);
  stdout.write(
    json
      ? `${JSON.stringify({ listening: true, url, metrics_url: metricsUrl, issuer })}\n`
      : `tokenpair verifier listens on ${url} (issuer ${issuer})\n`,
  );
}

function parseAddress(text: string): Address {
  const [, bracketed, plain, port] = /^(?:\[([\da-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host !== undefined && Number(port) <= 65_535) return { host, port: Number(port) };
  throw new InvalidArgumentError('Use an address and a port such as "127.0.0.1:9000" or "[::1]:9000".');
}

function parseSeconds(text: string): number {
  if (/^\d{1,4}(?:\.\d{1,3})?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Use a number of seconds such as "10" or "0.5".');
}
