import { isUtf8 } from "node:buffer";
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Config } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import type { Database } from "./database.ts";

/** The signing key of a server. */
export interface ServerKey {
  /** The HMAC secret. Never print it. */
  readonly secret: string;
  /** The file that holds it; `null` if it is in a setting or only in memory. */
  readonly file: string | null;
}

/** The length of a new key, in bytes: enough for every HMAC algorithm. */
const keyLength = 64;

/**
 * Returns the signing key in the settings or, by default, the one in the folder of the SQLite database.
 *
 * @returns the key, or `null` if there is none yet.
 * @throws ConfigError if the setting names a missing file or isn't an HMAC secret, or if it is missing with PostgreSQL.
 */
export function findSigningKey({ server, directory }: Config, database: Database): ServerKey | null {
  const { signingKey } = server;
  if (signingKey === undefined) {
    if (database.postgresUrl !== undefined) {
      throw new ConfigError(
        "signingKey: is required with PostgreSQL, because all nodes must share it; set TOKENPAIR_SIGNING_KEY, " +
          "for example to the output of: openssl rand -hex 48",
      );
    }
    const file = toDefaultFile(database);
    return file !== null && existsSync(file) ? readKey(file) : null;
  }
  const file = resolve(directory, signingKey);
  if (isFile(file)) return readKey(file);
  if (looksLikePath(signingKey)) {
    // The value may be a secret, so the message doesn't quote it.
    throw new ConfigError(
      "signingKey: looks like a path, but there is no such file; put a secret that looks like a path into a file",
    );
  }
  return { secret: requireHmacSecret(signingKey), file: null };
}

/**
 * Creates a random signing key. For a SQLite file, the key is stored as `signing.key` in the same folder, readable only
 * by its owner (0600). If several processes do this at once, one creates the key and the others read it.
 */
export function createSigningKey(database: Database): ServerKey {
  const secret = randomBytes(keyLength).toString("base64");
  const file = toDefaultFile(database);
  if (file === null) return { secret, file };
  const draft = `${file}.${randomBytes(8).toString("hex")}`;
  writeFileSync(draft, `${secret}\n`, { flag: "wx", mode: 0o600, flush: true });
  try {
    // A link is atomic and, unlike a rename, never replaces a key that another process has created meanwhile.
    linkSync(draft, file);
  } catch (error) {
    if (!isFile(file)) throw error;
  } finally {
    unlinkSync(draft);
  }
  return readKey(file);
}

/** Returns the path of the default key of a database. */
function toDefaultFile({ path }: Database): string | null {
  return path === null ? null : join(dirname(path), "signing.key");
}

function readKey(file: string): ServerKey {
  try {
    return { secret: requireHmacSecret(requireText(file, readFileSync(file)).trimEnd()), file };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`signingKey: ${file} can't be read; check its owner and mode`, { cause: error });
  }
}

/**
 * Refuses binary keys: decoding would replace most bytes by the same character, and little randomness would be left.
 */
function requireText(file: string, content: Buffer): string {
  if (isUtf8(content)) return content.toString("utf8");
  throw new ConfigError(`signingKey: ${file} is not a text file; create a key with: openssl rand -hex 48 > ${file}`);
}

function requireHmacSecret(text: string): string {
  if (/^\s*(?:-----BEGIN |\{)/.test(text)) {
    throw new ConfigError(
      "signingKey: is a PEM or JWK, but this version signs with HMAC only; " +
        "create a secret with: openssl rand -hex 48",
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
