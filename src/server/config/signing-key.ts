import { isUtf8 } from "node:buffer";
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Config } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import type { Database } from "./database.ts";

/** The HMAC secret and where it is from. Never print `secret`. */
export interface ServerKey {
  readonly secret: string;
  /** The file that holds it; `null` where it stands in a setting, or nowhere. */
  readonly file: string | null;
}

/** Enough for every algorithm, as base64. */
const keyBytes = 64;

/**
 * The signing key that is configured, or else the one kept beside the database. `null`: there is none yet.
 *
 * @throws ConfigError where it names a file that is not there, or is not an HMAC secret.
 */
export function findSigningKey({ server, directory }: Config, database: Database): ServerKey | null {
  const { signingKey } = server;
  if (signingKey === undefined) {
    if (database.postgresUrl !== undefined) {
      throw new ConfigError(
        "signingKey: every node over one PostgreSQL needs the same; set TOKENPAIR_SIGNING_KEY, " +
          "and make one with: openssl rand -hex 48",
      );
    }
    const file = toKeptFile(database);
    return file !== null && existsSync(file) ? readKey(file) : null;
  }
  const file = resolve(directory, signingKey);
  if (isFile(file)) return readKey(file);
  if (looksLikePath(signingKey)) {
    // The value may be a secret after all, and is not repeated.
    throw new ConfigError(
      "signingKey: looks like the path of a file, and there is no such file; " +
        "a secret that begins like a path must be put into a file",
    );
  }
  return { secret: requireHmacSecret(signingKey), file: null };
}

/**
 * Makes a signing key. For a database in a file it is kept beside it as `signing.key`, for its owner alone (0600); of
 * several processes that do so at once one makes it and the others read it.
 */
export function makeSigningKey(database: Database): ServerKey {
  const secret = randomBytes(keyBytes).toString("base64");
  const file = toKeptFile(database);
  if (file === null) return { secret, file };
  const draft = `${file}.${randomBytes(8).toString("hex")}`;
  writeFileSync(draft, `${secret}\n`, { flag: "wx", mode: 0o600, flush: true });
  try {
    // Unlike a rename, a link never replaces a key that another process has made meanwhile; nobody sees half a key.
    linkSync(draft, file);
  } catch (error) {
    if (!isFile(file)) throw error;
  } finally {
    unlinkSync(draft);
  }
  return readKey(file);
}

/** Where the key is kept that belongs to the database. */
function toKeptFile({ path }: Database): string | null {
  return path === null ? null : join(dirname(path), "signing.key");
}

function readKey(file: string): ServerKey {
  try {
    return { secret: requireHmacSecret(requireText(file, readFileSync(file)).trimEnd()), file };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`signingKey: ${file} cannot be read; check its owner and mode`, { cause: error });
  }
}

/** Decoded, bytes that are no text would all become the same character, and a random key would hardly be random. */
function requireText(file: string, content: Buffer): string {
  if (isUtf8(content)) return content.toString("utf8");
  throw new ConfigError(`signingKey: ${file} is not text; make a key with: openssl rand -hex 48 > ${file}`);
}

function requireHmacSecret(text: string): string {
  if (/^\s*(?:-----BEGIN |\{)/.test(text)) {
    throw new ConfigError(
      "signingKey: this version of tokenpair signs with HMAC, and takes no PEM or JWK; " +
        "make a secret with: openssl rand -hex 48",
    );
  }
  return text;
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function looksLikePath(text: string): boolean {
  return /^(?:\/|\.{1,2}\/|~\/)|\.(?:key|pem|jwk|json|txt)$/i.test(text);
}
