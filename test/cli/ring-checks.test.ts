import { generateKeyPairSync } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { defaultSettings } from "../../src/core/settings/settings.ts";
import type { KeyRecord } from "../../src/core/store/keys.ts";
import { createKeks } from "../../src/crypto/keys/key-encryption.ts";
import { generateKeyMaterial, type KeyMaterial, toPrivateMaterial } from "../../src/crypto/keys/key-material.ts";
import { toKeyRecord } from "../../src/keys/missing.ts";
import { toAccessRecord } from "../../src/keys/ring.ts";
import { checkRing } from "../../src/staff/health/ring-checks.ts";
import { openTestStore } from "../support/test-store.ts";

const keyEncryptionKey = `2026:${Buffer.alloc(32, "a kek for doctor's tests").toString("base64url")}`;
const settings = { ...defaultSettings, keyEncryptionKey };
const year = 365 * 86_400;

describe("doctor, about the keys in the database,", async () => {
  let now = 1_800_000_000;
  const store = await openTestStore(() => now);
  afterAll(() => store.close());

  const add = async (material: KeyMaterial, more: Partial<KeyRecord> = {}) => {
    const record = { ...toKeyRecord(toAccessRecord(createKeks(keyEncryptionKey), material), now), ...more };
    const { version } = await store.keys.read();
    await store.keys.change(version, { add: [record] });
  };

  it("says nothing if there are none", async () => {
    expect(await checkRing(store, defaultSettings)).toEqual([]);
  });

  it("warns of services that can only verify with the HMAC signing key", async () => {
    await store.services.create({ name: "s", scopes: ["feed"], credentialHash: new Uint8Array(32), prefix: "p" });
    expect(await checkRing(store, defaultSettings)).toEqual([
      { name: "services", status: "warn", detail: expect.stringMatching(/^1 service can only verify with the HMAC/) },
    ]);
  });

  it("warns of a signing key that is older than a year", async () => {
    await add(generateKeyMaterial());
    expect(await checkRing(store, settings)).toEqual([
      { name: "key ring", status: "ok", detail: "Decrypted 1 key and 0 secrets." },
    ]);
    now += year;
    expect(await checkRing(store, settings)).toEqual([
      {
        name: "key ring",
        status: "warn",
        detail: expect.stringMatching(/is older than a year\. Run: tokenpair keys rotate$/),
      },
    ]);
  });

  it("warns of a short RSA key", async () => {
    await add(toPrivateMaterial(generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey), {
      signsFrom: now + 1,
    });
    now += 2;
    expect(await checkRing(store, settings)).toEqual([
      { name: "key ring", status: "warn", detail: expect.stringContaining("An RSA key of 2048 bits. Use 3072 bits") },
    ]);
  });
});
