import { type Argon2Hash, parseArgon2 } from "./argon2.ts";
import { parseBcrypt, parseBcryptSha256 } from "./bcrypt.ts";
import { malformed, type Parsed, type Verifiable } from "./hash-format.ts";
import { parseMd5 } from "./md5.ts";
import { parsePbkdf2 } from "./pbkdf2.ts";
import { parseScrypt } from "./scrypt.ts";

/** The result of parsing a stored text. */
export type StoredHash =
  /** A hash in the argon2 format of `createPasswordHasher`. */
  | { readonly outcome: "own"; readonly hash: Argon2Hash }
  /** A hash in one of Django's formats. It is verified, and replaced at the next login. */
  | ({ readonly outcome: "django"; readonly format: DjangoFormat } & Verifiable)
  /** Django's mark for a user who can't log in with a password. */
  | { readonly outcome: "unusable" }
  /**
   * A text that can't be verified. `reason` completes a sentence that begins with "The stored hash" and never quotes the
   * hash.
   */
  | { readonly outcome: "refused"; readonly reason: string };

/** Django's name of a hash format. */
export type DjangoFormat = "pbkdf2_sha256" | "pbkdf2_sha1" | "argon2" | "bcrypt_sha256" | "bcrypt" | "scrypt" | "md5";

/** Which weak hashes to accept. */
export interface StoredHashOptions {
  /** Whether to accept salted MD5 hashes. Default: false. */
  readonly acceptMd5?: boolean;
}

/** The maximum length of a stored text, which is the length of Django's column. */
const maxLength = 512;

/** The parsers by format name. They get the text after the name and its `$`. */
const djangoFormats: ReadonlyMap<string, (fields: string) => Parsed> = new Map<DjangoFormat, (f: string) => Parsed>([
  ["pbkdf2_sha256", (fields) => parsePbkdf2(fields, "sha256")],
  ["pbkdf2_sha1", (fields) => parsePbkdf2(fields, "sha1")],
  ["argon2", parseDjangoArgon2],
  ["bcrypt_sha256", parseBcryptSha256],
  ["bcrypt", parseBcrypt],
  ["scrypt", parseScrypt],
  ["md5", parseMd5],
]);

/** Returns whether this is the name of one of Django's formats. */
export function isDjangoFormat(name: string): name is DjangoFormat {
  return djangoFormats.has(name);
}

/**
 * Parses a stored text: a hash that can be verified, the mark for "no password", or a text that is refused, with the
 * reason. The parser is strict. It also refuses hashes whose verification would cost too much.
 */
export function parseStoredHash(encoded: string, { acceptMd5 = false }: StoredHashOptions = {}): StoredHash {
  if (encoded === "" || encoded.startsWith("!")) return { outcome: "unusable" };
  if (encoded.length > maxLength) return refused(`is longer than ${maxLength} characters`);
  if (encoded.startsWith("$")) return parseOwn(encoded);
  const separator = encoded.indexOf("$");
  const format = encoded.slice(0, separator);
  const parse = separator < 0 ? undefined : djangoFormats.get(format);
  if (parse === undefined) return refused("has an unknown format");
  if (format === "md5" && !acceptMd5) return refused("is MD5, which needs acceptMd5PasswordHashes");
  const parsed = parse(encoded.slice(separator + 1));
  if ("fault" in parsed) return refused(`looks like ${format}, but ${parsed.fault}`);
  return { outcome: "django", format: format as DjangoFormat, ...parsed };
}

function parseOwn(encoded: string): StoredHash {
  const hash = parseArgon2(encoded);
  if ("fault" in hash) return refused(`looks like argon2, but ${hash.fault}`);
  const isOurs = hash.variant === "argon2id" && hash.version === 19;
  return isOurs ? { outcome: "own", hash } : refused("is another argon2 than argon2id of version 19");
}

/** Parses Django's argon2 format: a PHC string after `argon2`, without a secret. */
function parseDjangoArgon2(fields: string): Parsed {
  const hash = parseArgon2(`$${fields}`);
  if ("fault" in hash) return hash;
  return hash.keyId === null ? { matches: (password) => hash.matches(password) } : malformed;
}

function refused(reason: string): StoredHash {
  return { outcome: "refused", reason };
}
