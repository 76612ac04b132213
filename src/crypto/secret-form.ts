import { isUtf8 } from "node:buffer";
import { SettingError } from "../core/settings/setting-error.ts";

/** What a text is that isn't a random secret. */
export type SecretFault = "path" | "url" | "placeholder" | "key-format" | "bare-key" | "too-regular";

/** The fewest different characters. 32 random hexadecimal digits have less with a chance of 1 in 10⁹. */
const minDifferent = 8;

/** The length from which different characters are counted: shorter secrets are refused anyway, with a better message. */
const minLength = 32;

/** A PEM, also behind other text, or a JSON object. */
const keyFormat = /-----BEGIN [A-Z]|^\s*\{\s*"/;

/**
 * Returns the text of a PEM or JWK, whether good or not; `null` if the value can only be a secret. A public key must never
 * become an HMAC secret, which everyone would know.
 */
export function findKeyText(key: string | Uint8Array): string | null {
  const text = typeof key === "string" ? key : isUtf8(key) ? Buffer.from(key).toString() : "";
  return keyFormat.test(text) ? text.trim() : null;
}

/**
 * Returns what shows that a text isn't a secret, but the place of one, a placeholder, or a pattern; `null` if it may be a
 * secret.
 *
 * @param text a signing key as a setting or an environment variable holds it.
 */
export function findSecretFault(text: string): SecretFault | null {
  const fault = findTextFault(text.trim());
  if (fault !== null) return fault;
  return text.startsWith("/") || (text.includes("/") && !isRandomBase64(text.trim())) ? "path" : null;
}

/**
 * As `findSecretFault`, for bytes or the content of a file, which have slashes more often than paths: base64 begins with one
 * in a case of 64. Refuses only a text that consists of names and slashes.
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
 * Refuses what isn't a secret.
 *
 * @throws SettingError about `setting`.
 */
export function requireSecret(secret: string | Uint8Array, setting: "signingKey" | "secret" = "signingKey"): void {
  const fault = typeof secret === "string" ? findSecretFault(secret) : findSecretBytesFault(secret);
  if (fault !== null) throw new SettingError(setting, describeSecretFault(fault));
}

/** Returns a fault to be read after the setting's name. It never quotes the secret. */
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

/** A public key as a line of OpenSSH. */
const sshKey = /^(?:ssh-|ecdsa-sha2-|sk-)\S+\s+AAAA/;

/** A PEM, or the member that each JWK has: also escaped, in another notation, or behind other text. */
const keyPart = /-----BEGIN|\bkty\\*["']?\s*[:=]/;

/** Returns whether a text is a key in base64, hexadecimal digits or another notation, each of which may be public. */
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
 * Returns whether bytes are a private or public key or a certificate in DER (X.690): a SEQUENCE as long as all bytes, which
 * begins with a number, or with a SEQUENCE that begins with an object identifier or a version. One of 10⁸ random secrets is.
 */
function isDerKey(bytes: Uint8Array): boolean {
  const whole = readSequence(bytes);
  if (whole === null || whole.content.length !== whole.length) return false;
  const [tag, size = 0, value = 0] = whole.content;
  if (tag === 0x02) return (size === 1 && value <= 3) || size === 0x81 || size === 0x82;
  const first = readSequence(whole.content)?.content[0];
  return first === 0x06 || first === 0xa0 || first === 0x02;
}

/** Reads a SEQUENCE: the bytes behind its length, and how many of them belong to it. `null` for anything else. */
function readSequence(bytes: Uint8Array): { readonly content: Uint8Array; readonly length: number } | null {
  const [tag, first = 0] = bytes;
  if (tag !== 0x30 || first > 0x83) return null;
  const start = first < 0x80 ? 2 : 2 + (first & 0x7f);
  const length = first < 0x80 ? first : bytes.subarray(2, start).reduce((sum, byte) => sum * 256 + byte, 0);
  return { content: bytes.subarray(start), length };
}

/** A URL of any scheme, or a reference to a secret store that was not resolved. */
function isUrl(text: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/|(?:file|data|env|arn|vault|op|sqlite|postgres|postgresql|urn):)/i.test(text);
}

/** A drive letter, a network share, a folder of systemd, or the home, this or the parent folder, with either slash. */
const pathStart = /^(?:[A-Za-z]:[\\/]|\\\\|~[\w.-]*[\\/]|\.{1,2}[\\/]|%[A-Za-z]\/)/;

/** The extensions of files that hold keys or settings. */
const fileExtension = /\.(?:key|pub|pem|crt|cer|der|p8|p12|pfx|jwks?|json|ya?ml|toml|conf|ini|env|txt|secret|hmac)$/i;

/**
 * Returns whether a text with slashes is base64 of random bytes: it has digits and letters of both cases. One of 1,500 such
 * texts of 32 bytes has no digit. Its case changes at every second letter, and that of a path in CamelCase more rarely.
 */
function isRandomBase64(text: string): boolean {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || !/[A-Z]/.test(text)) return false;
  const caseChanges = text.match(/[a-z](?=[A-Z])|[A-Z](?=[a-z])/g)?.length ?? 0;
  return /\d/.test(text) || caseChanges >= text.length * 0.3;
}

/** Variables of shells, templates and configuration formats that were not replaced. */
const unresolved =
  /\$\{\s*\w[^}]*\}|\$\([^)]*\)|\{\{.*\}\}|<%.*%>|^\$[A-Za-z_]\w*$|^%\w+%$|^%\(\w+\)s$|^<[^<>]*>$|^\[[^[\]]*\]$/s;

/**
 * Words of placeholders, without spaces and punctuation. Each has at least eight letters, so that a random text contains
 * none of them: 128 characters of base64 do with a chance of less than 1 in 10⁸.
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
] as const;

function isPlaceholder(text: string): boolean {
  if (unresolved.test(text)) return true;
  const letters = text.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  if (/^(?:undefined|null|none|nil|secret|password|todo|fixme|test|example|x{3})+x*$/.test(letters)) return true;
  return placeholderWords.some((word) => letters.includes(word));
}
