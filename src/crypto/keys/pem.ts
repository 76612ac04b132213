import { createPrivateKey, type KeyObject } from "node:crypto";
import { SettingError } from "../../core/settings/setting-error.ts";

/** The advice in error messages about anything that isn't a suitable key. */
const createOne = "Create a key with: tokenpair keys generate";

/** The formats of private keys that can be read, by label (RFC 7468, RFC 5915, RFC 8017 appendix A). */
const formats = new Map([
  ["PRIVATE KEY", "pkcs8"],
  ["EC PRIVATE KEY", "sec1"],
  ["RSA PRIVATE KEY", "pkcs1"],
] as const);

/** The labels of other PEM contents, with a text that says what is wrong. */
const faults: readonly (readonly [RegExp, string])[] = [
  [/^ENCRYPTED PRIVATE KEY$/, "is an encrypted PEM. Decrypt it with: openssl pkey -in ENCRYPTED -out DECRYPTED"],
  [/PUBLIC KEY$/, "is a public key. Set the private key that belongs to it."],
  [/CERTIFICATE/, "is a certificate. Set the private key that belongs to it."],
  [/^OPENSSH PRIVATE KEY$/, `is a key in OpenSSH's own format. ${createOne}`],
];

/**
 * Returns the private key in a PEM text, which must contain exactly one (RFC 7468). The lines may be separated by `\n`
 * written as two characters, as in many environment files, or not separated at all.
 *
 * @throws SettingError for `signingKey` if the text is anything else. It doesn't quote the text.
 */
export function parsePem(text: string): KeyObject {
  const lines = text.replaceAll("\\r", "").replaceAll("\\n", "\n");
  const blocks = [...lines.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----/gs)]
    .map(([, label = "", body = ""]) => ({ label, body }))
    // `openssl ecparam -genkey` writes the curve before the key, which names the curve, too.
    .filter(({ label }) => label !== "EC PARAMETERS");
  const [block, ...more] = blocks;
  if (block === undefined) throw refusal(`is not a complete PEM: its END line is missing or different. ${createOne}`);
  if (more.length > 0) throw refusal("has more than one PEM block. Set the private key alone.");
  const fault = faults.find(([label]) => label.test(block.label));
  if (fault !== undefined) throw refusal(fault[1]);
  const type = formats.get(block.label as "PRIVATE KEY");
  if (type === undefined) throw refusal(`is a PEM, but not of a private key. ${createOne}`);
  if (/\bENCRYPTED\b/.test(block.body)) throw refusal(faults[0]?.[1] ?? "");
  return importDer(block.body.replaceAll(/\s/g, ""), type);
}

function importDer(base64: string, type: "pkcs8" | "sec1" | "pkcs1"): KeyObject {
  const der = Buffer.from(base64, "base64");
  if (der.toString("base64") === base64) {
    try {
      return createPrivateKey({ key: der, format: "der", type });
    } catch {
      // OpenSSL's reason says nothing to an operator.
    }
  }
  throw refusal(`is a PEM whose content can't be read as a private key. ${createOne}`);
}

function refusal(fault: string): SettingError {
  return new SettingError("signingKey", fault);
}
