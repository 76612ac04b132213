import { type Command, InvalidArgumentError } from "commander";
import { parseIssuerUrl } from "../../core/settings/issuer-url.ts";
import type { Store } from "../../core/store/index.ts";
import type { Service, ServiceScope } from "../../core/store/services.ts";
import { toTime } from "../../core/text.ts";
import * as flows from "../../flows/services/services.ts";
import type { Config } from "../../server/config/config.ts";
import { addCommand, type CommonOptions, type Output, runOnStore } from "../command.ts";
import type { Context } from "../context.ts";
import { CommandError } from "../errors.ts";
import { toFlowDeps } from "../flow-deps.ts";
import { toTable } from "../format.ts";
import { operator } from "../operator.ts";
import { parseDuration } from "../since.ts";

interface CreateOptions extends CommonOptions {
  readonly scope: readonly ServiceScope[];
}

interface RotateOptions extends CommonOptions {
  readonly overlap: number;
}

/** How long a replaced credential stays valid by default, in seconds. */
const defaultOverlap = 86_400;

/** Adds the command `services`. */
export function addServices(program: Command, context: Context): void {
  const services = program
    .command("services")
    .description("Manage the credentials of services that read revocations, or introspect or revoke tokens.");

  addCommand(services, "create", "Add a service and print its credential, which is shown only once.")
    .argument("<name>", "Name of the service: letters, digits, dots, dashes and underscores.", parseName)
    .requiredOption(
      "--scope <scopes>",
      "What the service may do: feed, introspect and revoke, separated by commas.",
      parseScopes,
    )
    .action((name: string, options: CreateOptions) =>
      runOnStore(context, options, (store, config) => createService(store, config, { ...options, name })),
    );

  addCommand(services, "list", "List the services.").action((options: CommonOptions) =>
    runOnStore(context, options, (store) => listServices(store)),
  );

  addCommand(services, "rotate", "Give a service a new credential and print it. It is shown only once.")
    .argument("<name>", "Service.")
    .option(
      "--overlap <time>",
      'How long the former credential stays valid, for example "1h" or "0s".',
      parseDuration,
      defaultOverlap,
    )
    .action((name: string, options: RotateOptions) =>
      runOnStore(context, options, (store, config) => rotateService(store, config, { ...options, name })),
    );

  addCommand(services, "revoke", "Revoke a service and its credentials.")
    .argument("<name>", "Service.")
    .action((name: string, options: CommonOptions) =>
      runOnStore(context, options, (store, config) => revokeService(store, config, name)),
    );
}

function parseName(text: string): string {
  if (flows.serviceName.test(text)) return text;
  throw new InvalidArgumentError("Use 1 to 64 letters, digits, dots, dashes and underscores.");
}

function parseScopes(text: string): readonly ServiceScope[] {
  const names = text.split(",").map((name) => name.trim());
  const scopes = flows.serviceScopes.filter((scope) => names.includes(scope));
  if (new Set(names).size === scopes.length) return scopes;
  throw new InvalidArgumentError(`Use ${flows.serviceScopes.join(", ")}, separated by commas.`);
}

async function createService(
  store: Store,
  config: Config,
  { name, scope }: CreateOptions & { readonly name: string },
): Promise<Output> {
  requireIssuer(config);
  const created = await flows.createService(toFlowDeps(store, config), { name, scopes: scope }, operator);
  if (created === null) {
    throw new CommandError(
      `there is a service ${name} already; replace its credential with \`tokenpair services rotate ${name}\``,
    );
  }
  return toCredentialOutput(created, [`Created the service ${name} (${created.service.scopes.join(", ")}).`]);
}

async function rotateService(
  store: Store,
  config: Config,
  { name, overlap }: RotateOptions & { readonly name: string },
): Promise<Output> {
  const rotated = await flows.rotateService(toFlowDeps(store, config), name, { overlap, client: operator });
  if (rotated === null) throw unknownService(name);
  const { previousUntil } = rotated.service;
  const end = previousUntil === null ? "isn't valid any more" : `is valid until ${toTime(previousUntil)}`;
  return toCredentialOutput(rotated, [`Rotated the credential of ${name}. The former one ${end}.`]);
}

async function revokeService(store: Store, config: Config, name: string): Promise<Output> {
  if (!(await flows.revokeService(toFlowDeps(store, config), name, operator))) throw unknownService(name);
  return { lines: [`Revoked the service ${name}.`], json: { revoked: name } };
}

async function listServices(store: Store): Promise<Output> {
  const services = await flows.listServices({ store });
  if (services.length === 0) return { lines: ["No services."], json: { services: [] } };
  const lines = toTable(
    ["NAME", "SCOPES", "CREDENTIAL", "CREATED", "FORMER VALID UNTIL"],
    services.map(({ name, scopes, prefix, createdAt, previousUntil }) => [
      name,
      scopes.join(","),
      `tps_${prefix}…`,
      toTime(createdAt),
      previousUntil === null ? "-" : toTime(previousUntil),
    ]),
  );
  return { lines, json: { services: services.map(toServiceJson) } };
}

function toCredentialOutput({ service, credential }: flows.IssuedCredential, lines: readonly string[]): Output {
  return {
    lines: [...lines, `Credential, shown only once: ${credential}`],
    json: { ...toServiceJson(service), credential },
  };
}

function toServiceJson({ name, scopes, prefix, createdAt, previousUntil }: Service) {
  return { name, scopes, prefix, created_at: createdAt, previous_until: previousUntil };
}

/**
 * Checks that tokens have an issuer and an audience. Services need them to know who issued a token, and whether it is meant
 * for them.
 *
 * @throws CommandError if one of them is not set.
 */
function requireIssuer({ settings: { issuer, audience } }: Config): void {
  if (issuer === undefined || audience === undefined) {
    throw new CommandError("issuer and audience must be set before services can verify tokens");
  }
  if (parseIssuerUrl(issuer) === null) {
    throw new CommandError(
      "issuer must be an https URL, or an http URL of this machine, before services can find the keys",
    );
  }
}

const unknownService = (name: string) =>
  new CommandError(`no service ${name}; list all with \`tokenpair services list\``);
