import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { resolveConfig } from "../../src/server/config/config.ts";
import { checkLegacyKey, checkLegacyTokens } from "../../src/server/doctor/legacy-checks.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { createFolder } from "../server/folder.ts";
import { djangoSecret } from "../support/simplejwt.ts";

const now = Math.floor(Date.now() / 1_000);
const tomorrow = `${new Date((now + 86_400) * 1_000).toISOString().slice(0, 19)}Z`;

async function toConfig(content: string | null, until: string | undefined = tomorrow) {
  const directory = createFolder();
  if (content !== null) writeFileSync(join(directory, "django.key"), content, { mode: 0o600 });
  const env = {
    ...(content === null ? {} : { TOKENPAIR_LEGACY_REFRESH_KEY_FILE: "django.key" }),
    ...(until === undefined ? {} : { TOKENPAIR_LEGACY_REFRESH_UNTIL: until }),
  };
  return resolveConfig({ directory, env });
}

describe("doctor's check of simplejwt's key", () => {
  it("says until when it is used", async () => {
    const detail = `Refresh tokens of simplejwt are accepted until ${tomorrow}. Remove the settings then.`;
    expect(checkLegacyKey(await toConfig(djangoSecret))).toEqual([{ name: "simplejwt key", status: "ok", detail }]);
  });

  it("warns if others can read it", async () => {
    const config = await toConfig(djangoSecret);
    const file = join(config.directory, "django.key");
    chmodSync(file, 0o640);
    const detail = `Other users can read ${file}. Run: chmod 600 ${file}`;
    expect(checkLegacyKey(config)).toEqual([{ name: "simplejwt key", status: "warn", detail }]);
  });

  it("warns when the time is over, whatever is in the file", async () => {
    const detail = "Ignored since 2026-01-01T00:00:00Z. Remove legacyRefreshKeyFile and legacyRefreshUntil.";
    const config = await toConfig("short", "2026-01-01");
    expect(checkLegacyKey(config)).toEqual([{ name: "simplejwt key", status: "warn", detail }]);
  });

  it.each<[content: string | null, until: string | undefined, detail: string]>([
    ["short", tomorrow, "legacyRefreshKey must have at least 32 bytes, got 5"],
    [djangoSecret, "2126-01-01", "legacyRefreshUntil must be at most 30 days ahead"],
    [null, tomorrow, "legacyRefreshUntil needs the key of simplejwt too"],
  ])("fails if the settings can't work (%#)", async (content, until, detail) => {
    expect(checkLegacyKey(await toConfig(content, until))).toEqual([
      { name: "simplejwt key", status: "fail", detail: expect.stringContaining(detail) },
    ]);
  });

  it("says nothing without the settings", async () => {
    expect(checkLegacyKey(await resolveConfig({ directory: createFolder(), env: {} }))).toEqual([]);
  });
});

describe("doctor's check of simplejwt's revoked tokens", () => {
  it("warns if none was imported, as long as the key is used", async () => {
    const store = sqliteStore(":memory:");
    onTestFinished(() => store.close());
    await store.migrate();
    const config = await toConfig(djangoSecret);
    expect(await checkLegacyTokens(store, config)).toMatchObject([{ name: "revoked tokens", status: "warn" }]);
    expect(await checkLegacyTokens(store, await toConfig(djangoSecret, "2026-01-01"))).toEqual([]);
    await store.legacy.revoke([{ tokenId: "a", expiresAt: now + 60 }], "revoked");
    const detail = "1 token can't be redeemed, 0 tokens were.";
    expect(await checkLegacyTokens(store, config)).toEqual([{ name: "revoked tokens", status: "ok", detail }]);
  });
});
