import { statSync } from "node:fs";
import { createHmacKey } from "../../crypto/signing-key.ts";
import type { Config } from "../../server/config/config.ts";
import { ConfigError } from "../../server/config/config-error.ts";
import type { Database } from "../../server/config/database.ts";
import { findSigningKey } from "../../server/config/signing-key.ts";
import { type Check, fail, ok, warn } from "./check.ts";

const name = "signing key";

/** Checks that the signing key is long enough for its algorithm, and that only its owner can read its file. */
export function checkSigningKey(config: Config, database: Database): Check {
  const { algorithm } = config.settings;
  try {
    const key = findSigningKey(config, database);
    if (key === null) return ok(name, "No signing key yet. `tokenpair serve` creates one.");
    createHmacKey({ algorithm, secret: key.secret });
    if (key.file === null) return ok(name, `Long enough for ${algorithm}.`);
    if (isReadableByOthers(key.file)) {
      return warn(name, `Other users can read ${key.file}. Run: chmod 600 ${key.file}`);
    }
    return ok(name, `${key.file} is long enough for ${algorithm}.`);
  } catch (error) {
    if (error instanceof ConfigError || error instanceof TypeError) return fail(name, error.message);
    throw error;
  }
}

/** Returns whether the file's mode gives its group or other users any access. */
export function isReadableByOthers(file: string): boolean {
  return (statSync(file).mode & 0o077) !== 0;
}
