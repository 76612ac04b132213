import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { toErrorCode } from "../../core/errors.ts";
import { settingRules } from "../../core/settings/rules.ts";
import type { Algorithm } from "../../core/settings/session-settings.ts";
import {
  exportKeyMaterial,
  generateKeyMaterial,
  type KeyMaterial,
  toPublicJwk,
} from "../../crypto/keys/key-material.ts";
import { print } from "../command.ts";
import type { Context } from "../context.ts";
import { CommandError } from "../errors.ts";

interface GenerateOptions {
  readonly alg: Algorithm;
  readonly kek?: true;
  readonly out?: string;
  readonly json?: true;
}

/** Adds the command `keys generate`, which needs neither settings nor a database. */
export function addKeysGenerate(keys: Command, context: Context): void {
  keys
    .command("generate")
    .description("Create a signing key and print it: a private key as PEM, or a secret for HS256, HS384 and HS512.")
    .addOption(new Option("--alg <algorithm>", "Algorithm.").choices(settingRules.algorithm.choices).default("ES256"))
    .option("--kek", "Create a key encryption key instead, for keyEncryptionKey.")
    .option("--out <file>", "Write the key to a new file with mode 0600 instead.")
    .option("--json", "Print JSON.")
    .action((options: GenerateOptions) => generate(context, options));
}

function generate(context: Context, options: GenerateOptions): Promise<void> {
  const material = options.kek ? null : generateKeyMaterial(options.alg);
  const text = (
    material === null ? randomBytes(32).toString("base64url") : exportKeyMaterial(material).toString()
  ).trimEnd();
  const facts = material === null ? {} : toFacts(material);
  if (options.out === undefined) {
    return print(context, options, { lines: text.split("\n"), json: { ...facts, key: text } });
  }
  const file = resolve(context.directory, options.out);
  writeNew(file, `${text}\n`);
  const what = material === null ? "a key encryption key" : `the ${material.algorithm} key ${material.kid}`;
  return print(context, options, { lines: [`Wrote ${what} to ${file} (mode 0600).`], json: { ...facts, file } });
}

function toFacts(material: KeyMaterial) {
  const { kid, algorithm } = material;
  return { kid, algorithm, public_jwk: toPublicJwk(material) };
}

/**
 * Writes a new file.
 *
 * @throws CommandError if the file exists or can't be written.
 */
function writeNew(file: string, content: string): void {
  try {
    writeFileSync(file, content, { flag: "wx", mode: 0o600, flush: true });
  } catch (error) {
    const code = toErrorCode(error);
    if (code === "EEXIST") throw new CommandError(`${file} exists already; nothing was written`);
    throw new CommandError(`${file} can't be written (${code ?? "unknown error"})`);
  }
}
