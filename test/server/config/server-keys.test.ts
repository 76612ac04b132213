import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../../src/server/config/config.ts";
import { parseDatabaseUrl } from "../../../src/server/config/database.ts";
import { createDefaultKey } from "../../../src/server/config/key-file.ts";
import { findServerKeys } from "../../../src/server/config/server-keys.ts";
import { createFolder } from "../folder.ts";

const secret = "0123456789abcdef0123456789abcdef";

async function findAll(directory: string, env: Record<string, string> = {}, url = "sqlite:./tokenpair.db") {
  return findServerKeys(await resolveConfig({ directory, env }), parseDatabaseUrl(url, directory));
}

async function find(directory: string, signingKey?: string, more: Record<string, string> = {}) {
  const env = { ...(signingKey === undefined ? {} : { TOKENPAIR_SIGNING_KEY: signingKey }), ...more };
  return (await findAll(directory, env)).signing;
}

const createSigningKey = (database: Parameters<typeof createDefaultKey>[0]) =>
  createDefaultKey(database, "signing key");

describe("the signingKey setting", () => {
  it("is used as the secret", async () => {
    expect(await find(createFolder(), secret)).toEqual({ text: secret, file: null });
  });

  it("is the path of the secret's file, whose line end is ignored", async () => {
    const folder = createFolder();
    writeFileSync(join(folder, "hmac"), `${secret}\r\n`);
    expect(await find(folder, "hmac")).toEqual({ text: secret, file: join(folder, "hmac") });
  });

  it.each([
    ["http://vault.example/v1/secret/data/tokenpair", "looks like a URL"],
    ["$" + "{TOKENPAIR_SECRET_FROM_THE_VAULT}", "is a placeholder"],
    ["kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", "has fewer than 8 different characters"],
  ])("refuses %s without quoting it", async (signingKey, fault) => {
    const finding = find(createFolder(), signingKey);
    await expect(finding).rejects.toThrow(`signingKey: ${fault}`);
    await expect(finding).rejects.toThrow(expect.not.stringContaining(signingKey));
  });

  it("refuses the same in a file, and takes a key in base64 that begins with a slash, as version 0.1 created", async () => {
    const folder = createFolder();
    writeFileSync(join(folder, "hmac"), "change-me-change-me-change-me-change-me\n");
    await expect(find(folder, "hmac")).rejects.toThrow("hmac is a placeholder");
    writeFileSync(join(folder, "hmac"), "/run/secrets/tokenpair/signing-key\n");
    await expect(find(folder, "hmac")).rejects.toThrow("hmac holds something that looks like a path");
    const created = "/9XkUeVd7bVwz0m4b1t0yWJ+q8l3Gf5rH2sT6uK0nPc/AaQxEoIjYvZgLhMwRkSt";
    writeFileSync(join(folder, "hmac"), `${created}\n`);
    expect(await find(folder, "hmac")).toMatchObject({ text: created });
  });

  it("refuses a file that is empty, or begins with a byte order mark, which nobody sees", async () => {
    const folder = createFolder();
    writeFileSync(join(folder, "hmac"), " \n");
    await expect(find(folder, "hmac")).rejects.toThrow("hmac is empty; create a key with: openssl rand -hex 48");
    writeFileSync(join(folder, "hmac"), `\uFEFF${secret}`);
    await expect(find(folder, "hmac")).rejects.toThrow("hmac starts with a byte order mark");
    writeFileSync(join(folder, "hmac"), Buffer.from(secret, "utf16le"));
    await expect(find(folder, "hmac")).rejects.toThrow("hmac is not a text file");
  });

  it("refuses a binary key file, which decoding would destroy, but takes UTF-8", async () => {
    const folder = createFolder();
    writeFileSync(join(folder, "hmac"), Buffer.alloc(48, 0xe9));
    await expect(find(folder, "hmac")).rejects.toThrow(
      "hmac is not a text file; create a key with: openssl rand -hex 48",
    );
    writeFileSync(join(folder, "hmac"), "zwölf Grüße, and more than thirty-two bytes");
    expect(await find(folder, "hmac")).toMatchObject({ text: "zwölf Grüße, and more than thirty-two bytes" });
  });

  it.each(["/run/secrets/tokenpair/production/signing-key", "./keys/it", "../it", "~/it", "signing.pem"])(
    "refuses %s, which looks like the path of a missing file, without quoting it",
    async (path) => {
      const finding = find(createFolder(), path);
      await expect(finding).rejects.toThrow("looks like a path, but there is no such file");
      await expect(finding).rejects.toThrow(expect.not.stringContaining(path));
    },
  );

  it("says of a path that signingKeyFile is the setting for it", async () => {
    await expect(find(createFolder(), "/run/secrets/key")).rejects.toThrow("set it as signingKeyFile");
  });

  it("may be a private key as PEM or JWK, also in a file", async () => {
    const folder = createFolder();
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString().trimEnd();
    for (const text of [pem, JSON.stringify(privateKey.export({ format: "jwk" }))]) {
      expect(await find(folder, text)).toEqual({ text, file: null });
      writeFileSync(join(folder, "key.pem"), `${text}\n`);
      expect(await find(folder, "key.pem")).toEqual({ text, file: join(folder, "key.pem") });
    }
  });
});

describe("the signingKeyFile setting", () => {
  const findInFile = (folder: string, path: string, signingKey?: string) =>
    find(folder, signingKey, { TOKENPAIR_SIGNING_KEY_FILE: path });

  it("is the path of the secret's file, relative to the working directory, and gives the same key as signingKey", async () => {
    const folder = createFolder();
    writeFileSync(join(folder, "hmac"), `${secret}\n`);
    expect(await findInFile(folder, "hmac")).toEqual({ text: secret, file: join(folder, "hmac") });
    expect(await findInFile(folder, join(folder, "hmac"))).toEqual(await find(folder, "hmac"));
  });

  it("says of a file that can't be read why, and what to do", async () => {
    const folder = createFolder();
    mkdirSync(join(folder, "keys"));
    await expect(findInFile(folder, "keys")).rejects.toThrow(`signingKeyFile: ${folder}/keys is a folder`);
    await expect(findInFile(folder, "keys/it")).rejects.toThrow(
      "signingKeyFile: the file doesn't exist; correct the path",
    );
    await expect(findInFile(folder, "keys/it")).rejects.toThrow("openssl rand -hex 48 > FILE");
  });

  it("never shows a secret that was set instead of a path", async () => {
    const finding = findInFile(createFolder(), secret);
    await expect(finding).rejects.toThrow("signingKeyFile: the file doesn't exist");
    await expect(finding).rejects.toThrow(expect.not.stringContaining(secret));
  });

  it("must not be set beside signingKey, even if both are the same file", async () => {
    const folder = createFolder();
    writeFileSync(join(folder, "hmac"), secret);
    await expect(findInFile(folder, "hmac", "hmac")).rejects.toThrow("must not be set beside signingKey");
  });
});

describe("the signing key in the folder of the database", () => {
  it("is found after it was created", async () => {
    const folder = createFolder();
    expect(await find(folder)).toBeNull();
    const made = createSigningKey({ label: "", path: join(folder, "tokenpair.db") });
    expect(made.file).toBe(join(folder, "signing.key"));
    expect(await find(folder)).toEqual(made);
  });

  it("has 64 random bytes, is readable only by its owner, and is the only file that is left", () => {
    const folder = createFolder();
    const { text: made } = createSigningKey({ label: "", path: join(folder, "tokenpair.db") });
    expect(Buffer.from(made, "base64url")).toHaveLength(64);
    // So that it is also accepted as signingKey.
    expect(made).toMatch(/^[\w-]+$/);
    expect(statSync(join(folder, "signing.key")).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["signing.key"]);
  });

  it("is never replaced by a second one", () => {
    const folder = createFolder();
    const path = join(folder, "tokenpair.db");
    expect(createSigningKey({ label: "", path })).toEqual(createSigningKey({ label: "", path }));
  });

  it("is the same for processes that create it at once", async () => {
    const path = join(createFolder(), "tokenpair.db");
    const room = pathToFileURL(resolve(import.meta.dirname, "../../../src/server/config/key-file.ts"));
    const program = `import { createDefaultKey } from "${room}";
      console.log(createDefaultKey({ label: "", path: ${JSON.stringify(path)} }, "signing key").text);`;
    const make = () => promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
    const made = (await Promise.all(Array.from({ length: 6 }, make))).map(({ stdout }) => stdout.trim());
    expect(new Set(made)).toEqual(new Set([createSigningKey({ label: "", path }).text]));
  });

  it("stays in memory if the database is in memory", () => {
    const database = { label: "", path: null };
    expect(createSigningKey(database).file).toBeNull();
    expect(createSigningKey(database).text).not.toBe(createSigningKey(database).text);
  });

  it("is named in the error if its file can't be read", async () => {
    const folder = createFolder();
    // A folder, because root can read every file.
    mkdirSync(join(folder, "signing.key"));
    await expect(find(folder)).rejects.toThrow("signing.key is a folder and can't be read");
  });
});

describe("the installation's secret", () => {
  const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const withPem = { TOKENPAIR_SIGNING_KEY: pem };
  const kek = { TOKENPAIR_KEY_ENCRYPTION_KEY: Buffer.alloc(32, "kek").toString("base64url") };
  const former = "fedcba9876543210fedcba9876543210";

  it("is the signing key if that is a secret, so there is nothing else to find or to create", async () => {
    expect(await findAll(createFolder(), { TOKENPAIR_SIGNING_KEY: secret })).toEqual({
      signing: { text: secret, file: null },
      secret: null,
      missing: null,
    });
    expect(await findAll(createFolder())).toEqual({ signing: null, secret: null, missing: "signing key" });
  });

  it("is taken from secret or secretFile, which must not be set both", async () => {
    const folder = createFolder();
    expect(await findAll(folder, { ...withPem, TOKENPAIR_SECRET: former })).toMatchObject({
      secret: { text: former, file: null },
      missing: null,
    });
    writeFileSync(join(folder, "secret"), `${former}\n`);
    expect(await findAll(folder, { ...withPem, TOKENPAIR_SECRET_FILE: "secret" })).toMatchObject({
      secret: { text: former, file: join(folder, "secret") },
    });
    const both = { ...withPem, TOKENPAIR_SECRET: former, TOKENPAIR_SECRET_FILE: "secret" };
    await expect(findAll(folder, both)).rejects.toThrow("secretFile: must not be set beside secret");
  });

  it("is neither a path nor a private key, and no message quotes it", async () => {
    const folder = createFolder();
    const find = (value: string) => findAll(folder, { ...withPem, TOKENPAIR_SECRET: value });
    await expect(find("/run/secrets/tokenpair")).rejects.toThrow(
      "secret: looks like a path; correct the path and set it as",
    );
    await expect(find(pem)).rejects.toThrow("secret: is a PEM or JWK");
    await expect(find(pem)).rejects.toThrow(expect.not.stringContaining(pem.slice(30, 60)));
    writeFileSync(join(folder, "secret"), pem);
    await expect(findAll(folder, { ...withPem, TOKENPAIR_SECRET_FILE: "secret" })).rejects.toThrow("is a PEM or JWK");
  });

  it("is created as secret.key beside the database if a private key signs, and found later", async () => {
    const folder = createFolder();
    expect(await findAll(folder, withPem)).toMatchObject({ secret: null, missing: "secret" });
    const made = createDefaultKey({ label: "", path: join(folder, "tokenpair.db") }, "secret");
    expect(made.file).toBe(join(folder, "secret.key"));
    expect(statSync(join(folder, "secret.key")).mode & 0o777).toBe(0o600);
    expect(await findAll(folder, withPem)).toMatchObject({ secret: made, missing: null });
    // The signing key may become a secret again: the refresh tokens are still those of the former secret.
    expect(await findAll(folder, { TOKENPAIR_SIGNING_KEY: secret })).toMatchObject({ secret: made });
  });

  it("stays the secret in signing.key if a private key or the key ring signs instead", async () => {
    const folder = createFolder();
    const { text, file } = createSigningKey({ label: "", path: join(folder, "tokenpair.db") });
    expect(await findAll(folder, withPem)).toMatchObject({
      signing: { file: null },
      secret: { text, file },
      missing: null,
    });
    expect(await findAll(folder, kek)).toEqual({ signing: null, secret: { text, file }, missing: null });
  });

  it("is in the database with the key ring, which needs no file", async () => {
    expect(await findAll(createFolder(), kek)).toEqual({ signing: null, secret: null, missing: null });
    expect(await findAll(createFolder(), { ...withPem, ...kek })).toMatchObject({ secret: null, missing: null });
    const postgres = "postgres://app@db.example/app";
    expect(await findAll(createFolder(), kek, postgres)).toEqual({ signing: null, secret: null, missing: null });
  });

  it("is not looked for beside the database if a private key is in signing.key", async () => {
    const folder = createFolder();
    writeFileSync(join(folder, "signing.key"), pem);
    expect(await findAll(folder)).toMatchObject({ signing: { text: pem.trimEnd() }, secret: null, missing: "secret" });
    expect(await findAll(folder, kek)).toMatchObject({ signing: { text: pem.trimEnd() }, secret: null, missing: null });
  });
});
