import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/server/config/config.ts";
import { parseDatabaseUrl } from "../../../src/server/config/database.ts";
import { createSigningKey, findSigningKey } from "../../../src/server/config/signing-key.ts";
import { createFolder } from "../folder.ts";

const secret = "0123456789abcdef0123456789abcdef";

async function find(directory: string, signingKey?: string) {
  const env = signingKey === undefined ? {} : { TOKENPAIR_SIGNING_KEY: signingKey };
  const database = parseDatabaseUrl("sqlite:./tokenpair.db", directory);
  return findSigningKey(await loadConfig({ directory, env }), database);
}

describe("the signingKey setting", () => {
  it("is used as the secret", async () => {
    expect(await find(createFolder(), secret)).toEqual({ secret, file: null });
  });

  it("is the path of the secret's file, whose line end is ignored", async () => {
    const folder = createFolder();
    writeFileSync(join(folder, "hmac"), `${secret}\r\n`);
    expect(await find(folder, "hmac")).toEqual({ secret, file: join(folder, "hmac") });
  });

  it("refuses a binary key file, which decoding would destroy, but takes UTF-8", async () => {
    const folder = createFolder();
    writeFileSync(join(folder, "hmac"), Buffer.alloc(48, 0xe9));
    await expect(find(folder, "hmac")).rejects.toThrow(
      "hmac is not a text file; create a key with: openssl rand -hex 48",
    );
    writeFileSync(join(folder, "hmac"), "zwölf Grüße, and more than thirty-two bytes");
    expect(await find(folder, "hmac")).toMatchObject({ secret: "zwölf Grüße, and more than thirty-two bytes" });
  });

  it.each(["/run/secrets/tokenpair/production/signing-key", "./keys/it", "../it", "~/it", "signing.pem"])(
    "refuses %s, which looks like the path of a missing file, without quoting it",
    async (path) => {
      const finding = find(createFolder(), path);
      await expect(finding).rejects.toThrow("looks like a path, but there is no such file");
      await expect(finding).rejects.toThrow(expect.not.stringContaining(path));
    },
  );

  it.each(["-----BEGIN PRIVATE KEY-----\nMC4", '{"kty":"OKP"}'])(
    "refuses a PEM or a JWK, also in a file: %s",
    async (key) => {
      const folder = createFolder();
      await expect(find(folder, key)).rejects.toThrow("is a PEM or JWK, but this version signs with HMAC only");
      writeFileSync(join(folder, "key.pem"), key);
      await expect(find(folder, "key.pem")).rejects.toThrow("is a PEM or JWK, but this version signs with HMAC only");
    },
  );
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
    const { secret: made } = createSigningKey({ label: "", path: join(folder, "tokenpair.db") });
    expect(Buffer.from(made, "base64")).toHaveLength(64);
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
    const room = pathToFileURL(resolve(import.meta.dirname, "../../../src/server/config/signing-key.ts"));
    const program = `import { createSigningKey } from "${room}";
      console.log(createSigningKey({ label: "", path: ${JSON.stringify(path)} }).secret);`;
    const make = () => promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
    const made = (await Promise.all(Array.from({ length: 6 }, make))).map(({ stdout }) => stdout.trim());
    expect(new Set(made)).toEqual(new Set([createSigningKey({ label: "", path }).secret]));
  });

  it("stays in memory if the database is in memory", () => {
    const database = { label: "", path: null };
    expect(createSigningKey(database).file).toBeNull();
    expect(createSigningKey(database).secret).not.toBe(createSigningKey(database).secret);
  });

  it("is named in the error if its file can't be read", async () => {
    const folder = createFolder();
    // A folder, because root can read every file.
    mkdirSync(join(folder, "signing.key"));
    await expect(find(folder)).rejects.toThrow("signing.key can't be read; check its owner and mode");
  });
});
