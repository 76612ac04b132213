import { isUtf8 } from "node:buffer";
import { SettingError } from "../core/settings/setting-error.ts";

/** What a text is if it isn't a random secret. */
export type SecretFault = "path" | "url" | "placeholder" | "key-format" | "bare-key" | "too-regular";

/**
 * The minimum number of different characters in a secret. The chance that 32 random hexadecimal digits have fewer is 1 in
 * 10⁹.
 */
const minDifferent = 8;

/**
 * The length from which different characters are counted. Shorter secrets are refused for their length, with a better
 * message.
 */
const minLength = 32;

/** Matches a PEM, even after other text, or a JSON object. */
const keyFormat = /-----BEGIN [A-Z]|^\s*\{\s*"/;

/**
 * Returns the text of a PEM or JWK, even if it is malformed. Returns `null` if the value can only be a secret. A public key
 * must never be used as an HMAC secret, because everyone would know it.
 */
export function findKeyText(key: string | Uint8Array): string | null {
  const text = typeof key === "string" ? key : isUtf8(key) ? Buffer.from(key).toString() : "";
  return keyFormat.test(text) ? text.trim() : null;
}

/**
 * Returns why a text isn't a secret: it looks like a path or URL, a placeholder, a key, or a simple pattern. Returns `null`
 * if it may be a secret.
 *
 * @param text a signing key, as it is written in a setting or an environment variable.
 */
export function findSecretFault(text: string): SecretFault | null {
  const fault = findTextFault(text.trim());
  if (fault !== null) return fault;
  return text.startsWith("/") || (text.includes("/") && !isRandomBase64(text.trim())) ? "path" : null;
}

/**
 * Does the same as `findSecretFault`, for bytes or for the content of a file. A slash in them is usually not a sign of a
 * path: one in 64 base64 texts begins with a slash. So a text is refused as a path only if it consists of nothing but names
 * and slashes.
 */
export function findSecretBytesFault(bytes: Uint8Array): SecretFault | null {
  const text = isUtf8(bytes) ? Buffer.from(bytes).toString("utf8").trim() : null;
  if ((text === null || !keyFormat.test(text)) && isBareKey(bytes)) return "bare-key";
  if (text === null) return bytes.length >= minLength && new Set(bytes).size < minDifferent ? "too-regular" : null;
  const fault = findTextFault(text);
  if (fault !== null) return fault;
  return /^\/?[\w.-]+(?:\/[\w.-]+)+$/.test(text) && !isRandomBase64(text) ? "path" : null;
}

/**
 * Throws if a value isn't a secret.
 *
 * @throws SettingError for `setting`.
 */
export function requireSecret(secret: string | Uint8Array, setting: "signingKey" | "secret" = "signingKey"): void {
  const fault = typeof secret === "string" ? findSecretFault(secret) : findSecretBytesFault(secret);
  if (fault !== null) throw new SettingError(setting, describeSecretFault(fault));
}

/**
 * Returns a text about the fault, which completes a sentence that begins with the setting's name. It never quotes the
 * secret.
 */
export function describeSecretFault(fault: SecretFault): string {
  switch (fault) {
    case "path":
      return "looks like a path, and not like a secret. Pass the file's content, or create a secret with: openssl rand -hex 48";
    case "url":
      return "looks like a URL, and not like a secret. Create a secret with: openssl rand -hex 48";
    case "placeholder":
      return "is a placeholder. Replace it by a secret, created with: openssl rand -hex 48";
    case "key-format":
      return "is a PEM or JWK, and not a secret. Create a secret with: openssl rand -hex 48";
    case "bare-key":
      return "is a key in DER, OpenSSH's format or another notation. Set a PEM or JWK, or create a secret with: openssl rand -hex 48";
    case "too-regular":
      return `has fewer than ${minDifferent} different characters. Create a secret with: openssl rand -hex 48`;
  }
}

function findTextFault(text: string): SecretFault | null {
  if (keyFormat.test(text)) return "key-format";
  if (sshKey.test(text) || isKeyInOtherForm(text)) return "bare-key";
  if (isUrl(text)) return "url";
  if (pathStart.test(text) || fileExtension.test(text)) return "path";
  if (isPlaceholder(text)) return "placeholder";
  return text.length >= minLength && new Set(text).size < minDifferent ? "too-regular" : null;
}

/** Matches a line with a public key of OpenSSH. */
const sshKey = /^(?:ssh-|ecdsa-sha2-|sk-)\S+\s+AAAA/;

/**
 * Matches a PEM, or the member that every JWK has. It also matches if they are escaped, in another notation, or after other
 * text.
 */
const keyPart = /-----BEGIN|\bkty\\*["']?\s*[:=]/;

/** Returns whether a text is a key in base64, in hexadecimal digits or in another notation. Any such key may be public. */
function isKeyInOtherForm(text: string): boolean {
  const digits = /^(?:[\da-f]{2}[:\s]*)+$/i.test(text) ? text.replaceAll(/[:\s]/g, "") : "";
  return keyPart.test(text) || isBareKey(Buffer.from(text, "base64")) || isBareKey(Buffer.from(digits, "hex"));
}

/** Returns whether bytes are a key or certificate without its PEM lines, or a PEM or JWK in another encoding. */
function isBareKey(bytes: Uint8Array): boolean {
  // Without NULs, UTF-16 is ASCII.
  return isDerKey(bytes) || keyPart.test(Buffer.from(bytes).toString("latin1").replaceAll("\0", ""));
}

/**
 * Returns whether bytes are a private key, a public key or a certificate in DER (X.690). They must be a SEQUENCE that is as
 * long as all bytes. It must begin with a number, or with a SEQUENCE that begins with an object identifier or a version.
 * One in 10⁸ random secrets has this form.
 */
function isDerKey(bytes: Uint8Array): boolean {
  const whole = readSequence(bytes);
  if (whole === null || whole.content.length !== whole.length) return false;
  const [tag, size = 0, value = 0] = whole.content;
  if (tag === 0x02) return (size === 1 && value <= 3) || size === 0x81 || size === 0x82;
  const first = readSequence(whole.content)?.content[0];
  return first === 0x06 || first === 0xa0 || first === 0x02;
}

/** Reads a SEQUENCE: the bytes after its length, and how many of them belong to it. Returns `null` for anything else. */
function readSequence(bytes: Uint8Array): { readonly content: Uint8Array; readonly length: number } | null {
  const [tag, first = 0] = bytes;
  if (tag !== 0x30 || first > 0x83) return null;
  const start = first < 0x80 ? 2 : 2 + (first & 0x7f);
  const length = first < 0x80 ? first : bytes.subarray(2, start).reduce((sum, byte) => sum * 256 + byte, 0);
  return { content: bytes.subarray(start), length };
}

/** Returns whether a text is a URL with any scheme, or a reference to a secret store that was not resolved. */
function isUrl(text: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/|(?:file|data|env|arn|vault|op|sqlite|postgres|postgresql|urn):)/i.test(text);
}

/**
 * Matches the beginning of a path: a drive letter, a network share, a folder of systemd, or the home, current or parent
 * folder, with slashes or backslashes.
 */
const pathStart = /^(?:[A-Za-z]:[\\/]|\\\\|~[\w.-]*[\\/]|\.{1,2}[\\/]|%[A-Za-z]\/)/;

/** Matches the extensions of files that contain keys or settings. */
const fileExtension = /\.(?:key|pub|pem|crt|cer|der|p8|p12|pfx|jwks?|json|ya?ml|toml|conf|ini|env|txt|secret|hmac)$/i;

/**
 * Returns whether a text with slashes is base64 of random bytes. Such a text has upper-case letters, and only one in 1,500
 * such texts of 32 bytes has no digit. A text without digits counts if its case changes often enough: in random text, it
 * changes at every second letter, but in a path in CamelCase less often.
 */
function isRandomBase64(text: string): boolean {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || !/[A-Z]/.test(text)) return false;
  const caseChanges = text.match(/[a-z](?=[A-Z])|[A-Z](?=[a-z])/g)?.length ?? 0;
  return /\d/.test(text) || caseChanges >= text.length * 0.3;
}

/** Matches variables of shells, templates and configuration formats that were not replaced. */
const unresolved =
  /\$\{\s*\w[^}]*\}|\$\([^)]*\)|\{\{.*\}\}|<%.*%>|^\$[A-Za-z_]\w*$|^%\w+%$|^%\(\w+\)s$|^<[^<>]*>$|^\[[^[\]]*\]$/s;

/**
 * Words that occur in placeholders, without spaces and punctuation. Each has at least eight letters, so that random texts
 * don't contain them: the chance for 128 characters of base64 is less than 1 in 10⁸.
 */
const placeholderWords = [
  "changeme",
  "changethis",
  "changeit",
  "pleasechange",
  "replaceme",
  "replacethis",
  "replacewith",
  "placeholder",
  "insertyour",
  "inserthere",
  "generateone",
  "opensslrand",
  "yoursecret",
  "yourownsecret",
  "yourjwtsecret",
  "yoursupersecret",
  "yourverysecret",
  "yourkeyhere",
  "yoursigningkey",
  "256bitsecret",
  "384bitsecret",
  "512bitsecret",
  "stringsecretatleast",
  "secretkeyhere",
  "secrethere",
  "signingkeyhere",
  "mysecretkey",
  "supersecret",
  "thisisasecret",
  "notasecret",
  "examplesecret",
  "examplekey",
  "djangoinsecure",
  // Keys of former versions of this documentation and its examples.
  "forthisexampleonly",
  "fortheseexamplesonly",
  "akeyfordevelopment",
  "akeyfortestsof32bytes",
] as const;

function isPlaceholder(text: string): boolean {
  if (unresolved.test(text)) return true;
  const letters = text.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  if (/^(?:undefined|null|none|nil|secret|password|todo|fixme|test|example|x{3})+x*$/.test(letters)) return true;
  return placeholderWords.some((word) => letters.includes(word));
}
