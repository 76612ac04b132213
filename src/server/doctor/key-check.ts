import { statSync } from "node:fs";
import { systemRandom } from "../../core/runtime/random.ts";
import { parseIssuerUrl } from "../../core/settings/issuer-url.ts";
import type { Algorithm } from "../../core/settings/session-settings.ts";
import { type GivenKeys, parseGivenKeys } from "../../keys/given-keys.ts";
import { toKeyWarnings } from "../../keys/warnings.ts";
import { type Check, fail, ok, warn } from "../../staff/health/check.ts";
import { findRsaFault } from "../../staff/health/ring-checks.ts";
import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import type { Database } from "../config/database.ts";
import type { ServerKey } from "../config/key-file.ts";
import { findServerKeys, isPrivateKey, type ServerKeys } from "../config/server-keys.ts";

const name = "signing key";

/**
 * Checks that the keys in the settings and files can be used, that they are strong and hard to guess, and that only their
 * owner can read the files. Also checks that tokens that services verify say who signed them and for whom.
 */
export function checkKeys(config: Config, database: Database): readonly Check[] {
  try {
    const keys = findServerKeys(config, database);
    if (keys.missing === "signing key") return [ok(name, "No signing key yet. `tokenpair serve` creates one.")];
    const given = parseGivenKeys({ ...toTexts(keys), settings: config.settings });
    return [checkSigningKey(keys, given), ...checkSecret(keys), ...checkNames(config, given)];
  } catch (error) {
    if (error instanceof ConfigError || error instanceof TypeError) return [fail(name, error.message)];
    throw error;
  }
}

/** Returns the keys. If the secret will be created later, a random one takes its place. */
function toTexts({ signing, secret, missing }: ServerKeys) {
  const future = missing === "secret" ? { secret: systemRandom(64) } : {};
  return {
    ...(signing === null ? {} : { signingKey: Buffer.from(signing.text) }),
    ...(secret === null ? future : { secret: Buffer.from(secret.text) }),
  };
}

function checkSigningKey({ signing }: ServerKeys, { signing: material }: GivenKeys): Check {
  if (signing === null || material === null) return ok(name, "A key of the key ring in the database signs.");
  const { algorithm } = material;
  const fault = findFileFault(signing) ?? (isPrivateKey(signing) ? findRsaFault(material) : findGuessable(signing));
  if (fault !== null) return warn(name, fault);
  const what = isPrivateKey(signing) ? `a private key for ${algorithm}` : `long enough for ${algorithm}`;
  return ok(
    name,
    signing.file === null ? `${what.charAt(0).toUpperCase()}${what.slice(1)}.` : `${signing.file} is ${what}.`,
  );
}

function checkSecret({ secret, missing }: ServerKeys): readonly Check[] {
  if (missing === "secret") return [ok("secret", "No secret yet. `tokenpair serve` creates one.")];
  if (secret === null) return [];
  const fault = findFileFault(secret) ?? findGuessable(secret);
  if (fault !== null) return [warn("secret", fault)];
  return [ok("secret", secret.file === null ? "Long enough." : `${secret.file} is long enough.`)];
}

/** Checks that services can distinguish their tokens from other tokens, and can find the public keys. */
function checkNames({ settings }: Config, { signing, ringAlgorithm }: GivenKeys): readonly Check[] {
  const algorithm: Algorithm = signing?.algorithm ?? ringAlgorithm;
  if (algorithm.startsWith("HS")) return [];
  const [missing] = toKeyWarnings(algorithm, settings);
  if (missing !== undefined) return [fail("issuer", `${missing.charAt(0).toUpperCase()}${missing.slice(1)}`)];
  return [
    parseIssuerUrl(settings.issuer) === null
      ? warn(
          "issuer",
          "Not an https URL, so services can't find the public keys by it. Set the URL of this installation.",
        )
      : ok("issuer", "Services can find the public keys by it."),
  ];
}

function findFileFault({ file }: ServerKey): string | null {
  return file !== null && isReadableByOthers(file) ? `Other users can read ${file}. Run: chmod 600 ${file}` : null;
}

function findGuessable({ text }: ServerKey): string | null {
  return isGuessable(text)
    ? "Looks like words or a pattern, which can be guessed. Create one with: openssl rand -hex 48"
    : null;
}

/**
 * Returns whether a secret is a repeated text, or consists of words, which are parts whose letters all have the same case.
 * Anyone who has a token can try such secrets without sending requests to the server.
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
