import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../../src/server/config/config.ts";
import { ConfigError } from "../../../src/server/config/config-error.ts";
import { readLegacyKey } from "../../../src/server/config/legacy-key.ts";
import { createFolder } from "../folder.ts";

const secret = "k#v2m$q(1w)z@x!c^b&n*l-p=o+i5u7y3t9r4e6w8a0s2d4f";
const untilDay = "2026-01-10";
const before = Date.parse("2026-01-09T23:59:59Z") / 1_000;

async function read(directory: string, env: Record<string, string> = {}, now = before): Promise<string | undefined> {
  const key = readLegacyKey(await resolveConfig({ directory, env }), now);
  return key === undefined ? undefined : Buffer.from(key).toString();
}

const settings = { TOKENPAIR_LEGACY_REFRESH_KEY_FILE: "django.key", TOKENPAIR_LEGACY_REFRESH_UNTIL: untilDay };

describe("the legacyRefreshKeyFile setting", () => {
  it("is off by default", async () => {
    expect(await read(createFolder())).toBeUndefined();
  });

  it("is the path of a file, whose line end is ignored", async () => {
    const folder = createFolder();
    writeFileSync(join(folder, "django.key"), `${secret}\r\n`);
    expect(await read(folder, settings)).toBe(secret);
  });

  it("needs legacyRefreshUntil", async () => {
    const reading = read(createFolder(), { TOKENPAIR_LEGACY_REFRESH_KEY_FILE: "django.key" });
    await expect(reading).rejects.toThrow(
      new ConfigError('legacyRefreshKeyFile: needs legacyRefreshUntil too, for example "2026-09-30"'),
    );
  });

  it("isn't read any more when the time is over, so that the file can be gone", async () => {
    expect(await read(createFolder(), settings, before + 1)).toBe("");
  });

  it("is refused if there is no such file, without quoting what may be the key itself", async () => {
    await expect(read(createFolder(), settings)).rejects.toThrow(
      "legacyRefreshKeyFile: the file can't be read (ENOENT); check the path, the owner and the mode",
    );
    const reading = read(createFolder(), { ...settings, TOKENPAIR_LEGACY_REFRESH_KEY_FILE: secret });
    await expect(reading).rejects.toThrow(expect.not.stringContaining(secret));
  });

  it("is refused if the file is binary", async () => {
    const folder = createFolder();
    writeFileSync(join(folder, "django.key"), Buffer.from([0xff, 0xfe, 0]));
    await expect(read(folder, settings)).rejects.toThrow("legacyRefreshKeyFile: is not a text file");
  });
});
