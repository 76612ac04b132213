import { isUtf8 } from "node:buffer";
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describeSecretFault, findSecretBytesFault, findSecretFault } from "../../crypto/secret-form.ts";
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
 * @throws ConfigError if a file can't be read or the key isn't an HMAC secret, or if it is missing with PostgreSQL.
 */
export function findSigningKey({ server, directory }: Config, database: Database): ServerKey | null {
  const { signingKey, signingKeyFile } = server;
  if (signingKeyFile !== undefined) {
    if (signingKey === undefined) return readKey("signingKeyFile", resolve(directory, signingKeyFile));
    throw new ConfigError("signingKeyFile: must not be set beside signingKey; remove one of them");
  }
  if (signingKey === undefined) {
    if (database.postgresUrl !== undefined) {
      throw new ConfigError(
        "signingKey: is required with PostgreSQL, because all nodes must share it; set TOKENPAIR_SIGNING_KEY, " +
          "for example to the output of: openssl rand -hex 48",
      );
    }
    const file = toDefaultFile(database);
    return file !== null && existsSync(file) ? readKey("signingKey", file) : null;
  }
  const file = resolve(directory, signingKey);
  if (isFile(file)) return readKey("signingKey", file);
  const fault = findSecretFault(signingKey);
  if (fault === "path") throw looksLikePath();
  if (fault !== null) throw new ConfigError(`signingKey: ${describeSecretFault(fault)}`);
  return { secret: signingKey, file: null };
}

/** The value may be a secret, so the message doesn't quote it. */
function looksLikePath(): ConfigError {
  return new ConfigError(
    "signingKey: looks like a path, but there is no such file; correct the path and set it as signingKeyFile " +
      "(TOKENPAIR_SIGNING_KEY_FILE), or create a secret with: openssl rand -hex 48",
  );
}

/**
 * Creates a random signing key. For a SQLite file, the key is stored as `signing.key` in the same folder, readable only
 * by its owner (0600). If several processes do this at once, one creates the key and the others read it.
 */
export function createSigningKey(database: Database): ServerKey {
  const secret = randomBytes(keyLength).toString("base64url");
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
  return readKey("signingKey", file);
}

/** Returns the path of the default key of a database. */
function toDefaultFile({ path }: Database): string | null {
  return path === null ? null : join(dirname(path), "signing.key");
}

/** Reads a key from a file. Ignores white space at the end, such as a line end. @throws ConfigError */
function readKey(setting: "signingKey" | "signingKeyFile", file: string): ServerKey {
  const refuse = (fault: string) => new ConfigError(`${setting}: ${file} ${fault}`);
  const content = readContent(setting, file);
  const create = `create a key with: openssl rand -hex 48 > ${file}`;
  // Decoding would replace most bytes of a binary key by the same character.
  if (!isUtf8(content) || content.includes(0)) throw refuse(`is not a text file; ${create}`);
  const secret = content.toString("utf8").trimEnd();
  if (secret === "") throw refuse(`is empty; ${create}`);
  if (secret.startsWith("\uFEFF")) {
    throw refuse("starts with a byte order mark, which would be part of the key; save it as UTF-8 without one");
  }
  const fault = findSecretBytesFault(Buffer.from(secret));
  if (fault === "path") throw refuse(`holds something that looks like a path, and not a secret; ${create}`);
  if (fault !== null) throw refuse(describeSecretFault(fault));
  return { secret, file };
}

function readContent(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    throw new ConfigError(toUnreadable(setting, file, code), { cause });
  }
}

function toUnreadable(setting: string, file: string, code: string): string {
  // A secret in `signingKeyFile` must not be shown. An existing file isn't one.
  const shown = existsSync(file) ? file : "the file";
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
    case "ENAMETOOLONG":
      return `${setting}: ${shown} doesn't exist; correct the path, or create the file with: openssl rand -hex 48 > FILE`;
    case "EISDIR":
      return `${setting}: ${shown} is a folder and can't be read; set the path of a file in it`;
    case "EACCES":
    case "EPERM":
      return `${setting}: ${shown} can't be read (${code}); check its owner and mode, and those of its folders`;
    default:
      return `${setting}: ${shown} can't be read (${code || "unknown error"}); check the file and its disk`;
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
