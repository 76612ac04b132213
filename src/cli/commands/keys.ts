import type { Command } from "commander";
import type { Store } from "../../core/store/index.ts";
import type { KeyRecord, KeyRecords } from "../../core/store/keys.ts";
import { toCount, toTime } from "../../core/text.ts";
import { createKeks, type Keks } from "../../crypto/keys/key-encryption.ts";
import * as flows from "../../flows/keys/keys.ts";
import type { KeyRefusal } from "../../flows/keys/rules.ts";
import { toAccessRecords, toAccessStates, toSecretRecords, toVerifyingTime } from "../../keys/states.ts";
import type { Config } from "../../server/config/config.ts";
import { parseDatabaseUrl } from "../../server/config/database.ts";
import { findServerKeys } from "../../server/config/server-keys.ts";
import { askToConfirm } from "../ask.ts";
import { addCommand, type CommonOptions, type Output, runOnStore } from "../command.ts";
import type { Context } from "../context.ts";
import { CommandError } from "../errors.ts";
import { toFlowDeps } from "../flow-deps.ts";
import { toTable } from "../format.ts";
import { operator } from "../operator.ts";
import { addKeysGenerate } from "./keys-generate.ts";

interface NowOptions extends CommonOptions {
  readonly now?: boolean;
}

interface RotateOptions extends NowOptions {
  readonly secret?: true;
  readonly yes?: true;
}

/** Adds the command `keys`. */
export function addKeys(program: Command, context: Context): void {
  const keys = program.command("keys").description("Generate, list, rotate and retire signing keys.");
  addKeysGenerate(keys, context);

  addCommand(keys, "list", "List the keys and secrets in the database, oldest first.").action(
    (options: CommonOptions) =>
      runOnStore(context, options, async (store, config) => listKeys(await store.keys.read(), config)),
  );

  addCommand(keys, "rotate", "Add the next signing key. The current one verifies until its tokens have expired.")
    .option("--now", "Sign with the next key at once, without publishing it first.")
    .option("--secret", "Replace the secret of refresh, CSRF and device tokens instead. With --now, log all users out.")
    .option("--yes", "Don't ask for confirmation. Required without a terminal for --secret --now.")
    .action(async (options: RotateOptions) => {
      if (options.secret && options.now && !options.yes) await askToConfirm(context, "This logs all users out.");
      await runOnStore(context, options, (store, config) =>
        options.secret ? rotateSecret(store, config, options) : rotateKeys(store, config, options),
      );
    });

  addCommand(keys, "retire", "Retire a key in the key ring when its tokens have expired.")
    .argument("<kid>", "Key to retire.")
    .option("--now", "Refuse its tokens at once. If it signs, the next key signs at once.")
    .action((kid: string, options: NowOptions) =>
      runOnStore(context, options, (store, config) => retireKey(store, config, { ...options, kid })),
    );

  addCommand(keys, "rewrap", "Encrypt all keys and secrets with the first key in keyEncryptionKey.").action(
    (options: CommonOptions) => runOnStore(context, options, (store, config) => rewrapKeys(store, config)),
  );

  addCommand(
    keys,
    "adopt",
    "Sign refresh tokens with their own key. Run this when the last 0.1 node has stopped.",
  ).action((options: CommonOptions) => runOnStore(context, options, (store, config) => adoptKey(store, config)));
}

function listKeys(records: KeyRecords, config: Config): Output {
  const { now, ownRefreshSince } = records;
  const access = toAccessRecords(records);
  const verifyingTime = toVerifyingTime(records, config.settings);
  const states = toAccessStates(access, { now, verifyingTime, signsInRing: signsInRing(config) });
  const rows = [...access, ...toSecretRecords(records)].map((record) => ({
    record,
    state: states.get(record.kid) ?? toSecretState(record, now),
  }));
  const table = toTable(
    ["KID", "USE", "ALG", "STATE", "CREATED", "SIGNS FROM", "RETIRES", "ENCRYPTED BY"],
    rows.map(({ record, state }) => [
      record.kid,
      record.use,
      record.algorithm,
      state,
      toTime(record.createdAt),
      record.signsFrom === 0 ? "-" : toTime(record.signsFrom),
      toOptionalTime(record.retiredAt ?? record.retireAt),
      record.kekId ?? "-",
    ]),
  );
  return {
    lines: [
      ...(rows.length === 0 ? ["No keys in the database: a setting holds them."] : table),
      ...toAdoptionLines(ownRefreshSince),
    ],
    json: {
      keys: rows.map(({ record, state }) => toKeyJson(record, state)),
      own_refresh_since: ownRefreshSince,
      version: records.version,
    },
  };
}

/** Says whether refresh tokens have their own key, if version 0.1 has used this database. */
function toAdoptionLines(ownRefreshSince: number | null): readonly string[] {
  if (ownRefreshSince === 0) return [];
  if (ownRefreshSince !== null) return [`Refresh tokens have had their own key since ${toTime(ownRefreshSince)}.`];
  return [
    "Refresh tokens are signed as in version 0.1. When the last 0.1 node has stopped, run `tokenpair keys adopt`.",
  ];
}

function toSecretState({ signsFrom, sealed, retiredAt }: KeyRecord, now: number): string {
  if (retiredAt !== null) return "retired";
  if (sealed === null) return "configured";
  return signsFrom > now ? "published" : "live";
}

const toOptionalTime = (time: number | null) => (time === null ? "-" : toTime(time));

function toKeyJson(record: KeyRecord, state: string): Readonly<Record<string, unknown>> {
  return {
    kid: record.kid,
    use: record.use,
    algorithm: record.algorithm,
    state,
    created_at: record.createdAt,
    signs_from: record.signsFrom,
    retire_at: record.retireAt,
    retired_at: record.retiredAt,
    kek_id: record.kekId,
  };
}

/** What the JWKS cache of another product may do after a key was changed immediately. */
const cacheNotice =
  "Services that verify with the JWKS may use an older copy of it, for up to 10 minutes with common libraries.";

async function rotateKeys(store: Store, config: Config, { now = false }: NowOptions): Promise<Output> {
  const keks = requireKeks(config);
  if (!signsInRing(config)) {
    throw new CommandError(
      "signingKey is set, so the nodes sign with it and not with a key of the database; remove it on all nodes first",
    );
  }
  const options = { keks, isImmediate: now, client: operator };
  const { next, replaced } = requireDone(await flows.rotateKeys(toFlowDeps(store, config), options));
  const lines = [
    `The key ${next.kid} (${next.algorithm}) signs from ${toTime(next.signsFrom)} on.`,
    ...(replaced === null ? [] : [`The key ${replaced.kid} verifies until ${toTime(replaced.retireAt)}.`]),
    ...(now ? [cacheNotice] : []),
  ];
  return { lines, json: { next: toNextJson(next), replaced: replaced && toRetiredJson(replaced) } };
}

async function rotateSecret(store: Store, config: Config, { now = false }: NowOptions): Promise<Output> {
  const options = { keks: requireKeks(config), isImmediate: now, client: operator };
  const next = requireDone(await flows.rotateSecret(toFlowDeps(store, config), options));
  const rest = now
    ? "Refresh tokens of the older secrets are refused: all users must log in again."
    : "The older secrets verify until their refresh tokens have expired.";
  return {
    lines: [`The secret ${next.kid} signs from ${toTime(next.signsFrom)} on.`, rest],
    json: { next: toNextJson(next) },
  };
}

async function retireKey(
  store: Store,
  config: Config,
  { kid, now = false }: NowOptions & { readonly kid: string },
): Promise<Output> {
  const options = { keks: requireKeks(config), isImmediate: now, client: operator, signsInRing: signsInRing(config) };
  const { retired, next, isOver } = requireDone(await flows.retireKey(toFlowDeps(store, config), kid, options));
  const lines = [
    isOver ? `Retired the key ${kid}.` : `The key ${kid} verifies until ${toTime(retired.retireAt)}.`,
    ...(next === null ? [] : [`The key ${next.kid} (${next.algorithm}) signs from ${toTime(next.signsFrom)} on.`]),
    ...(now
      ? [cacheNotice, "Sessions continue. If the secret has leaked too, run `tokenpair keys rotate --secret --now`."]
      : []),
  ];
  return { lines, json: { retired: toRetiredJson(retired), next: next && toNextJson(next) } };
}

async function rewrapKeys(store: Store, config: Config): Promise<Output> {
  const keks = requireKeks(config);
  const { keys } = await flows.rewrapKeys(toFlowDeps(store, config), { keks, client: operator });
  const line =
    keys === 0
      ? `All keys are encrypted with "${keks.id}" already.`
      : `Encrypted ${toCount(keys, "key")} with "${keks.id}". When all nodes have it, remove the former key encryption keys.`;
  return { lines: [line], json: { rewrapped: keys, kek_id: keks.id } };
}

async function adoptKey(store: Store, config: Config): Promise<Output> {
  const { isNew } = await flows.adoptRefreshKey(toFlowDeps(store, config), operator);
  const line = isNew
    ? "Refresh tokens have their own key from now on. Nodes of version 0.1 refuse them."
    : "Refresh tokens have their own key already.";
  return { lines: [line], json: { adopted: isNew } };
}

/** Returns whether a key in the database signs. If false, a key in a setting signs. */
function signsInRing(config: Config): boolean {
  if (config.settings.keyEncryptionKey === undefined) return false;
  return findServerKeys(config, parseDatabaseUrl(config.server.databaseUrl, config.directory)).signing === null;
}

/**
 * Returns the key encryption keys.
 *
 * @throws CommandError if none is set.
 */
function requireKeks({ settings: { keyEncryptionKey } }: Config): Keks {
  if (keyEncryptionKey !== undefined) return createKeks(keyEncryptionKey);
  throw new CommandError(
    "keyEncryptionKey is not set, so the database holds no keys; set TOKENPAIR_KEY_ENCRYPTION_KEY as on the nodes, " +
      "or create one with `tokenpair keys generate --kek`",
  );
}

function requireDone<T extends object>(result: T | KeyRefusal): T {
  if ("refusal" in result) throw new CommandError(result.refusal);
  return result;
}

function toNextJson({
  kid,
  algorithm,
  signsFrom,
}: {
  readonly kid: string;
  readonly algorithm: string;
  readonly signsFrom: number;
}) {
  return { kid, algorithm, signs_from: signsFrom };
}

function toRetiredJson({ kid, retireAt }: { readonly kid: string; readonly retireAt: number }) {
  return { kid, retire_at: retireAt };
}
