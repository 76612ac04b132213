import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { describeSecretFault, findKeyText, findSecretFault } from "../../crypto/secret-form.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import type { Database } from "./database.ts";
import { type DefaultKey, isFile, isSigningKey, readKeyFile, type ServerKey, toDefaultFile } from "./key-file.ts";

/** The keys of a server. */
export interface ServerKeys {
  /** The key that signs access tokens. `null` if it is missing, or if a key of the key ring signs. */
  readonly signing: ServerKey | null;
  /** The installation's secret. `null` if it is the signing key, if it is missing, or if it is in the database. */
  readonly secret: ServerKey | null;
  /** The key that must be created next to the SQLite database, or `null` if none is missing. */
  readonly missing: DefaultKey | null;
}

/**
 * Returns the keys from the settings and, by default, from the folder of the SQLite database: `signing.key`, and also
 * `secret.key` if a private key or the key ring signs. If `signing.key` contains a secret that no longer signs, it is still
 * the installation's secret.
 *
 * @throws ConfigError if a file can't be read or doesn't contain a key, or if the signing key is missing with PostgreSQL.
 */
export function findServerKeys({ server, settings, directory }: Config, database: Database): ServerKeys {
  const hasRing = settings.keyEncryptionKey !== undefined;
  const given = findGivenKey("signingKey", server.signingKey, server.signingKeyFile, directory);
  const beside = given === null ? readDefault(database, "signing key") : null;
  const signsInRing = given === null && hasRing && (beside === null || !isPrivateKey(beside));
  const signing = signsInRing ? null : (given ?? beside);
  const secret =
    findGivenKey("secret", server.secret, server.secretFile, directory) ??
    readDefault(database, "secret") ??
    (signing !== null && !isPrivateKey(signing) ? null : findFormerSecret(database));
  return { signing, secret, missing: findMissing(database, { signing, secret, signsInRing, hasRing }) };
}

/** Returns whether a key is a private key and not a secret. Doesn't check whether the private key is valid. */
export function isPrivateKey({ text }: ServerKey): boolean {
  return findKeyText(text) !== null;
}

interface Found extends Pick<ServerKeys, "signing" | "secret"> {
  readonly signsInRing: boolean;
  readonly hasRing: boolean;
}

function findMissing(database: Database, { signing, secret, signsInRing, hasRing }: Found): DefaultKey | null {
  const isPostgres = database.postgresUrl !== undefined;
  if (signing === null && !signsInRing) {
    if (!isPostgres) return "signing key";
    throw new ConfigError(
      "signingKey: is required with PostgreSQL, because all nodes must share it; set TOKENPAIR_SIGNING_KEY, " +
        "for example to the output of: openssl rand -hex 48",
    );
  }
  // With a key encryption key, the first node makes the secret. With PostgreSQL, createAuth says what to do.
  const hasSecret = secret !== null || (signing !== null && !isPrivateKey(signing));
  return hasSecret || hasRing || isPostgres ? null : "secret";
}

/** Returns the secret that signed in an installation with SQLite before a private key was set. */
function findFormerSecret(database: Database): ServerKey | null {
  const former = readDefault(database, "signing key");
  return former === null || isPrivateKey(former) ? null : former;
}

function readDefault(database: Database, key: DefaultKey): ServerKey | null {
  const file = toDefaultFile(database, key);
  return file !== null && existsSync(file) ? readKeyFile(key === "signing key" ? "signingKey" : "secret", file) : null;
}

function findGivenKey(
  setting: "signingKey" | "secret",
  text: string | undefined,
  file: string | undefined,
  directory: string,
): ServerKey | null {
  const fileSetting = `${setting}File` as const;
  if (file !== undefined) {
    if (text === undefined) return readKeyFile(fileSetting, resolve(directory, file));
    throw new ConfigError(`${fileSetting}: must not be set beside ${setting}; remove one of them`);
  }
  if (text === undefined) return null;
  if (isSigningKey(setting) && findKeyText(text) !== null) return { text, file: null };
  const path = resolve(directory, text);
  // Version 0.1 had no signingKeyFile.
  if (isSigningKey(setting) && isFile(path)) return readKeyFile(setting, path);
  const fault = findSecretFault(text);
  if (fault === "path") throw looksLikePath(setting);
  if (fault !== null) throw new ConfigError(`${setting}: ${describeSecretFault(fault)}`);
  return { text, file: null };
}

/** Returns the error for a value that looks like a path. The value may be a secret, so the message doesn't quote it. */
function looksLikePath(setting: "signingKey" | "secret"): ConfigError {
  const variable = setting === "signingKey" ? "TOKENPAIR_SIGNING_KEY_FILE" : "TOKENPAIR_SECRET_FILE";
  const fault = setting === "signingKey" ? "looks like a path, but there is no such file" : "looks like a path";
  return new ConfigError(
    `${setting}: ${fault}; correct the path and set it as ${setting}File (${variable}), ` +
      "or create a secret with: openssl rand -hex 48",
  );
}
