import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/server/config/config.ts";
import { parseDatabaseUrl } from "../../../src/server/config/database.ts";
import { findSigningKey, makeSigningKey } from "../../../src/server/config/signing-key.ts";
import { createFolder } from "../folder.ts";

const secret = "0123456789abcdef0123456789abcdef";

async function find(directory: string, signingKey?: string) {
  const env = signingKey === undefined ? {} : { TOKENPAIR_SIGNING_KEY: signingKey };
  const database = parseDatabaseUrl("sqlite:./tokenpair.db", directory);
  return findSigningKey(await loadConfig({ directory, env }), database);
}

describe("a configured signing key", () => {
  it("is taken as it stands", async () => {
    expect(await find(createFolder(), secret)).toEqual({ secret, file: null });
  });

  it("is read from the file of that name, without the line's end", async () => {
    const folder = createFolder();
    writeFileSync(join(folder, "hmac"), `${secret}\r\n`);
    expect(await find(folder, "hmac")).toEqual({ secret, file: join(folder, "hmac") });
  });

  it("is refused where the file is not text, of which decoding would leave little", async () => {
    const folder = createFolder();
    writeFileSync(join(folder, "hmac"), Buffer.alloc(48, 0xe9));
    await expect(find(folder, "hmac")).rejects.toThrow("hmac is not text; make a key with: openssl rand -hex 48");
    writeFileSync(join(folder, "hmac"), "zwölf Grüße, and more than thirty-two bytes");
    expect(await find(folder, "hmac")).toMatchObject({ secret: "zwölf Grüße, and more than thirty-two bytes" });
  });

  it.each(["/run/secrets/tokenpair/production/signing-key", "./keys/it", "../it", "~/it", "signing.pem"])(
    "is refused where it looks like a path and there is no file: %s",
    async (path) => {
      const finding = find(createFolder(), path);
      await expect(finding).rejects.toThrow("looks like the path of a file, and there is no such file");
      await expect(finding).rejects.toThrow(expect.not.stringContaining(path));
    },
  );

  it.each(["-----BEGIN PRIVATE KEY-----\nMC4", '{"kty":"OKP"}'])("is refused as PEM or JWK: %s", async (key) => {
    const folder = createFolder();
    await expect(find(folder, key)).rejects.toThrow("takes no PEM or JWK");
    writeFileSync(join(folder, "key.pem"), key);
    await expect(find(folder, "key.pem")).rejects.toThrow("takes no PEM or JWK");
  });
});

describe("the signing key beside the database", () => {
  it("is not there until it is made, and is found from then on", async () => {
    const folder = createFolder();
    expect(await find(folder)).toBeNull();
    const made = makeSigningKey({ label: "", path: join(folder, "tokenpair.db") });
    expect(made.file).toBe(join(folder, "signing.key"));
    expect(await find(folder)).toEqual(made);
  });

  it("is 64 random bytes that only its owner can read, and nothing else is left behind", () => {
    const folder = createFolder();
    const { secret: made } = makeSigningKey({ label: "", path: join(folder, "tokenpair.db") });
    expect(Buffer.from(made, "base64")).toHaveLength(64);
    expect(statSync(join(folder, "signing.key")).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["signing.key"]);
  });

  it("is never replaced", () => {
    const folder = createFolder();
    const path = join(folder, "tokenpair.db");
    expect(makeSigningKey({ label: "", path })).toEqual(makeSigningKey({ label: "", path }));
  });

  it("is one and the same for processes that start at once", async () => {
    const path = join(createFolder(), "tokenpair.db");
    const room = pathToFileURL(resolve(import.meta.dirname, "../../../src/server/config/signing-key.ts"));
    const program = `import { makeSigningKey } from "${room}";
      console.log(makeSigningKey({ label: "", path: ${JSON.stringify(path)} }).secret);`;
    const make = () => promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
    const made = (await Promise.all(Array.from({ length: 6 }, make))).map(({ stdout }) => stdout.trim());
    expect(new Set(made)).toEqual(new Set([makeSigningKey({ label: "", path }).secret]));
  });

  it("lives in memory beside a database in memory", () => {
    const database = { label: "", path: null };
    expect(makeSigningKey(database).file).toBeNull();
    expect(makeSigningKey(database).secret).not.toBe(makeSigningKey(database).secret);
  });

  it("is refused where it cannot be read, with its file's name", async () => {
    const folder = createFolder();
    // A folder, because root can read every file.
    mkdirSync(join(folder, "signing.key"));
    await expect(find(folder)).rejects.toThrow("signing.key cannot be read; check its owner and mode");
  });
});
