import { statSync } from "node:fs";
import { createHmacKey } from "../../crypto/signing-key.ts";
import type { Config } from "../../server/config/config.ts";
import { ConfigError } from "../../server/config/config-error.ts";
import type { Database } from "../../server/config/database.ts";
import { findSigningKey } from "../../server/config/signing-key.ts";
import { type Check, fail, ok, warn } from "./check.ts";

const name = "signing key";

/** Whether there is a signing key, long enough for its algorithm, in a file that only its owner can read. */
export function checkSigningKey(config: Config, database: Database): Check {
  try {
    const key = findSigningKey(config, database);
    if (key === null) return ok(name, "there is none yet; `tokenpair serve` makes one");
    createHmacKey({ algorithm: config.settings.algorithm, secret: key.secret });
    if (key.file === null) return ok(name, `long enough for ${config.settings.algorithm}`);
    if (isOpenToOthers(key.file)) return warn(name, `${key.file} can be read by others; run: chmod 600 ${key.file}`);
    return ok(name, `${key.file}, long enough for ${config.settings.algorithm}`);
  } catch (error) {
    if (error instanceof ConfigError || error instanceof TypeError) return fail(name, error.message);
    throw error;
  }
}

/** Whether a file's mode lets group or others in. */
export function isOpenToOthers(file: string): boolean {
  return (statSync(file).mode & 0o077) !== 0;
}
