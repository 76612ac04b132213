import { createHmac, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { describeSecretFault, findSecretBytesFault, findSecretFault } from "../../src/crypto/secret-form.ts";

/** Returns the same random-looking bytes in every run, so that a failure can be repeated. */
const bytesOf = (index: number) => createHmac("sha512", "values").update(String(index)).digest().subarray(0, 48);

const count = 100_000;

describe("the form of a signing key", () => {
  it("is right for every value as of `openssl rand -base64 48`, except for those that begin with a slash", () => {
    const wrong: string[] = [];
    let slashes = 0;
    for (let index = 0; index < count; index++) {
      const value = bytesOf(index).toString("base64");
      const begins = value.startsWith("/");
      if (begins) slashes++;
      if ((findSecretFault(value) !== null) !== begins || findSecretBytesFault(Buffer.from(value)) !== null) {
        wrong.push(value);
      }
    }
    expect(wrong).toEqual([]);
    expect(slashes).toBeGreaterThan(count / 100);
  });

  it("is right for every value as of `openssl rand -hex 48`, and in base64url", () => {
    const wrong: string[] = [];
    for (let index = 0; index < count; index++) {
      for (const encoding of ["hex", "base64url"] as const) {
        const value = bytesOf(index).toString(encoding);
        if (findSecretFault(value) !== null) wrong.push(value);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("is right for base64 of 32 bytes without a digit, which is not a path in CamelCase", () => {
    expect(findSecretFault("qZxTVbNmLKjHgFdSaPoIuYtReWq/QwErTyUiOpAsDfE=")).toBeNull();
    expect(findSecretFault("Users/JohnDoe/Documents/MyProject/SigningKey")).toBe("path");
  });

  it("is right for random bytes", () => {
    for (let index = 0; index < 1_000; index++) expect(findSecretBytesFault(randomBytes(32))).toBeNull();
  });

  it.each([
    "/run/secrets/key",
    "/9XkUeVd7bVwz0m4b1t0yWJ+q8l3Gf5rH2sT6uK0nPc",
    "~/keys/tokenpair",
    "~deploy/keys/tokenpair",
    "./secret",
    "../secret",
    "C:\\keys\\tokenpair",
    "C:/keys/tokenpair",
    "\\\\server\\share\\key",
    ".\\keys\\tokenpair",
    "%d/signing.key",
    "run/secrets/tokenpair/production/signing-key",
    "secrets/tokenpair/Production2/signing-key",
    "config/secrets2/tokenpair/production/key",
    "signing.pem",
    "tokenpair-production.KEY",
    "tokenpair.jwk",
    "production.env",
    "signing.key\n",
  ])("refuses %j as a path", (text) => {
    expect(findSecretFault(text)).toBe("path");
  });

  it.each([
    "https://vault.example/v1/secret",
    "file:/run/secrets/key",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:tokenpair",
    "postgres://tokenpair@db.example/app",
    "vault:secret/data/tokenpair#key",
  ])("refuses %s as a URL", (text) => {
    expect(findSecretFault(text)).toBe("url");
    expect(findSecretBytesFault(Buffer.from(text))).toBe("url");
  });

  it.each([
    "$" + "{SIGNING_KEY}",
    "prefix-$" + "{SIGNING_KEY:-default}-suffix",
    "$SIGNING_KEY",
    "$(cat /run/secrets/key)",
    "%SIGNING_KEY%",
    "%(SIGNING_KEY)s",
    "{{ signing_key }}",
    "<%= signing_key %>",
    "<put your signing key of 48 bytes here>",
    "[object Object]",
    "undefined",
    "changeme",
    "Change-Me-Change-Me-Change-Me-Change-Me",
    "please_change_this_to_a_random_value_please",
    "your-256-bit-secret",
    "a-string-secret-at-least-256-bits-long",
    "your-super-secret-jwt-key-of-32-characters",
    "django-insecure-8x!k2#q0z$w9e@r5t^y7u&i1o*p3a(s4d)f6g",
    "replace-me-with-a-secret-of-at-least-32-bytes",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "secretsecretsecretsecretsecretsecret",
    "openssl rand -hex 48",
    "a signing key for this example only",
    "a signing key for these examples only",
    "a key for development, 32 bytes or more",
    "a key for tests, of 32 bytes or more",
  ])("refuses %s as a placeholder", (text) => {
    expect(findSecretFault(text)).toBe("placeholder");
    expect(findSecretBytesFault(Buffer.from(text))).toBe("placeholder");
  });

  it("refuses fewer than eight different characters or bytes", () => {
    expect(findSecretFault("abcdefgabcdefgabcdefgabcdefgabcdefg")).toBe("too-regular");
    expect(findSecretFault("abcdefghabcdefghabcdefghabcdefgh")).toBeNull();
    expect(findSecretFault("k".repeat(32))).toBe("too-regular");
    expect(findSecretBytesFault(new Uint8Array(64))).toBe("too-regular");
    expect(findSecretBytesFault(new Uint8Array(64).fill(0xff))).toBe("too-regular");
  });

  it("refuses a PEM and a JWK", () => {
    for (const text of ["-----BEGIN PUBLIC KEY-----\nMC4CAQ/w", '{"kty":"oct","k":"…"}', '\n{ "kty": "RSA" }']) {
      expect(findSecretFault(text)).toBe("key-format");
      expect(findSecretBytesFault(Buffer.from(text))).toBe("key-format");
    }
  });

  it("takes bytes and files with slashes, unless they consist of names and slashes", () => {
    const withSlash = "a/slash, in a key that is a text of 32 bytes";
    expect(findSecretFault(withSlash)).toBe("path");
    expect(findSecretBytesFault(Buffer.from(withSlash))).toBeNull();
    expect(findSecretBytesFault(Buffer.from("/run/secrets/tokenpair/signing-key\n"))).toBe("path");
    expect(findSecretBytesFault(Buffer.from("./keys/tokenpair"))).toBe("path");
  });

  it("is described by what is wrong and what to do", () => {
    for (const fault of ["path", "url", "placeholder", "key-format", "too-regular"] as const) {
      expect(describeSecretFault(fault)).toMatch(/^(?:looks|is|has) .*openssl rand -hex 48$/);
    }
  });
});
