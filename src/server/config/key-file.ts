import { isUtf8 } from "node:buffer";
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { toErrorCode } from "../../core/errors.ts";
import { describeSecretFault, findKeyText, findSecretBytesFault } from "../../crypto/secret-form.ts";
import { ConfigError } from "./config-error.ts";
import type { Database } from "./database.ts";

/** A key or secret of a server. */
export interface ServerKey {
  /** The key: a secret, or a private key as PEM or JWK. Never print it. */
  readonly text: string;
  /** The file that contains the key. `null` if the key is in a setting or only in memory. */
  readonly file: string | null;
}

/** A key that is stored in a file next to the SQLite database if no setting contains it. */
export type DefaultKey = "signing key" | "secret";

/** The settings that contain keys, or the paths of files with keys. */
export type KeySetting = "signingKey" | "signingKeyFile" | "secret" | "secretFile";

/** The length of a new secret, in bytes. It is enough for every HMAC algorithm. */
const keyLength = 64;

/** Returns the path of a default key of a database. Returns `null` for SQLite in memory and for PostgreSQL. */
export function toDefaultFile({ path }: Database, key: DefaultKey): string | null {
  return path === null ? null : join(dirname(path), key === "signing key" ? "signing.key" : "secret.key");
}

/**
 * Creates a random secret. For a SQLite file, it is stored in the same folder as `signing.key` or `secret.key`, with mode
 * 0600, so that only its owner can read it. If several processes do this at the same time, one of them creates the file and
 * the others read it.
 */
export function createDefaultKey(database: Database, key: DefaultKey): ServerKey {
  const file = toDefaultFile(database, key);
  if (file === null) return { text: createSecret(), file };
  writeNewFile(file, `${createSecret()}\n`);
  return readKeyFile(key === "signing key" ? "signingKey" : "secret", file);
}

/**
 * Creates a file with a random secret, unless the file exists, and its folder. Only the owner can read them.
 *
 * @throws ConfigError if the file exists and doesn't contain a key.
 */
export function createKeyFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if (!isFile(file)) writeNewFile(file, `${createSecret()}\n`);
  readKeyFile("signingKeyFile", file);
}

const createSecret = () => randomBytes(keyLength).toString("base64url");

/** Writes a file with mode 0600, unless the file exists. A reader never sees only a part of it. */
function writeNewFile(file: string, content: string): void {
  const draft = `${file}.${randomBytes(8).toString("hex")}`;
  writeFileSync(draft, content, { flag: "wx", mode: 0o600, flush: true });
  try {
    // A link is atomic and, unlike a rename, never replaces a key that another process has created meanwhile.
    linkSync(draft, file);
  } catch (error) {
    if (!isFile(file)) throw error;
  } finally {
    unlinkSync(draft);
  }
}

/**
 * Reads a key from a file. Ignores white space at the end, such as a line end.
 *
 * @throws ConfigError if the file can't be read or doesn't contain a key.
 */
export function readKeyFile(setting: KeySetting, file: string): ServerKey {
  const refuse = (fault: string) => new ConfigError(`${setting}: ${file} ${fault}`);
  const content = readContent(setting, file);
  const create = `create a key with: openssl rand -hex 48 > ${file}`;
  // Decoding would replace most bytes of a binary key by the same character.
  if (!isUtf8(content) || content.includes(0)) throw refuse(`is not a text file; ${create}`);
  const text = content.toString("utf8").trimEnd();
  if (text === "") throw refuse(`is empty; ${create}`);
  if (text.startsWith("\uFEFF")) {
    throw refuse("starts with a byte order mark, which would be part of the key; save it as UTF-8 without one");
  }
  if (isSigningKey(setting) && findKeyText(text) !== null) return { text, file };
  const fault = findSecretBytesFault(Buffer.from(text));
  if (fault === "path") throw refuse(`holds something that looks like a path, and not a secret; ${create}`);
  if (fault !== null) throw refuse(describeSecretFault(fault));
  return { text, file };
}

/** Returns whether the setting may contain a private key. */
export function isSigningKey(setting: KeySetting): boolean {
  return setting === "signingKey" || setting === "signingKeyFile";
}

function readContent(setting: KeySetting, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new ConfigError(toUnreadable(setting, file, toErrorCode(cause)), { cause });
  }
}

function toUnreadable(setting: KeySetting, file: string, code: string | undefined): string {
  // A secret that was set in place of a path must not be shown. An existing file isn't one.
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
      return `${setting}: ${shown} can't be read (${code ?? "unknown error"}); check the file and its disk`;
  }
}

/** Returns whether the path leads to an existing file. */
export function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
