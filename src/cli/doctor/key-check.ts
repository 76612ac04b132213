import { statSync } from "node:fs";
import { toSecretMaterial } from "../../crypto/keys/key-material.ts";
import type { Config } from "../../server/config/config.ts";
import { ConfigError } from "../../server/config/config-error.ts";
import type { Database } from "../../server/config/database.ts";
import { findSigningKey } from "../../server/config/signing-key.ts";
import { type Check, fail, ok, warn } from "./check.ts";

const name = "signing key";

/**
 * Checks that the signing key is a secret, long enough for its algorithm and not easy to guess, and that only its owner can
 * read its file.
 */
export function checkSigningKey(config: Config, database: Database): Check {
  try {
    const key = findSigningKey(config, database);
    if (key === null) return ok(name, "No signing key yet. `tokenpair serve` creates one.");
    const { algorithm } = toSecretMaterial(key.secret, config.settings.algorithm);
    if (isGuessable(key.secret)) {
      return warn(name, "Looks like words or a pattern, which can be guessed. Create one with: openssl rand -hex 48");
    }
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

/**
 * Returns whether a secret is a repeated text, or consists of words: parts that are all letters of one case. Anyone who has
 * a token can try such secrets without asking the server.
 */
function isGuessable(secret: string): boolean {
  if (/^(.{1,24}?)\1+.{0,8}$/s.test(secret)) return true;
  const parts = secret.split(/[\s_.,:;-]+/);
  return (
    parts.length > 2 &&
    parts.filter((part) => /^[A-Z]?[a-z]*$|^[A-Z]+$|^\d{1,4}$/.test(part)).length >= parts.length * 0.9
  );
}

/** Returns whether the file's mode gives its group or other users any access. */
export function isReadableByOthers(file: string): boolean {
  return (statSync(file).mode & 0o077) !== 0;
}
