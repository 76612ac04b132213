import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { ConfigError } from "../../../src/server/config/config-error.ts";
import { readConfigFile } from "../../../src/server/config/config-file.ts";
import { parseDatabaseUrl } from "../../../src/server/config/database.ts";
import { readEnvironment } from "../../../src/server/config/environment.ts";
import { mutationsOf } from "../mutations.ts";
import type { FuzzTarget } from "../target.ts";

/** Returns the ConfigError that `read` throws, or `null` if it throws nothing. Any other error is thrown on. */
function toFault(read: () => unknown): ConfigError | null {
  try {
    read();
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

/** The variables whose values are never shown, under any name that is not a setting too. */
const isSecret =
  /^TOKENPAIR_(?:DATABASE_URL|SIGNING_K..|SECRET|SECRET_FILE|KEY_ENCRYPTION_KEY|WEBHOOK_SECRET|PASSWORD_PEPPERS)$/;

/** Lines of the environment: `VARIABLE=value`. */
export const environment: FuzzTarget = {
  name: "an environment variable",
  inputs: mutationsOf(
    [
      "TOKENPAIR_ACCESS_TOKEN_LIFETIME=1800",
      "TOKENPAIR_AUTH_HEADER_TYPES=Bearer, JWT",
      "TOKENPAIR_TRUSTED_ORIGINS=https://user:planted@app.example",
      "TOKENPAIR_DATABASE_URL=planted.secret",
      "TOKENPAIR_SIGNING_KEY=planted",
      "TOKENPAIR_SIGNING_KYE=planted",
      "TOKENPAIR_SECRET=planted",
      "TOKENPAIR_KEY_ENCRYPTION_KEY=2026:planted",
      "TOKENPAIR_WEBHOOK_SECRET=planted",
      "TOKENPAIR_PASSWORD_PEPPERS=2026:planted",
      "TOKENPAIR_PORT=8000",
      "TOKENPAIR_PAGE=false",
      "TOKENPAIR_COOKIE_DOMAIN=app.example",
      "TOKENPAIR_ALGORITHM=HS256",
    ],
    ["TOKENPAIR_", "=", "https://", ","],
  ),
  check(line) {
    const [variable = "", value = ""] = line.split(/=(.*)/s);
    const fault = toFault(() => readEnvironment({ [variable]: value }));
    if (fault !== null) expect(variable).toMatch(/^TOKENPAIR_/);
    // An error may show the value of any other setting.
    if (!variable.includes("planted") && isSecret.test(variable)) {
      expect(fault?.message ?? "").not.toContain("planted");
    }
  },
};

export const databaseUrl: FuzzTarget = {
  name: "a database URL",
  inputs: mutationsOf(
    [
      "sqlite:./data/tokenpair.db",
      "sqlite::memory:",
      "postgres://user:a-long-secret@db.example/app?sslmode=verify-full",
      "postgresql:///app",
    ],
    ["sqlite:", "postgres://", "//", "?", "#", "@", ":"],
  ),
  check(url) {
    const fault = toFault(() => {
      const { label, path } = parseDatabaseUrl(url, "/");
      // The label is printed. It has a host, a port and one name, so no part of a mistyped password can be in it.
      if (path === null) expect(label).toMatch(/^SQLite in memory$|^PostgreSQL [^/@]*(?:\/[^/@:]*)?$/);
      else expect(path).toMatch(/^\//);
    });
    if (fault !== null) expect(fault.message).not.toContain("a-long-secret");
  },
};

/** Creates the target for a `tokenpair.config.json` in `folder`. */
export function createConfigFileTarget(folder: string): FuzzTarget {
  return {
    name: "a configuration file",
    inputs: mutationsOf(
      ['{"accessTokenLifetime":1800,"issuer":"https://id.example"}', '{"trustedOrigins":["https://app.example.com"]}'],
      ['"signingKey":', '"claims":', "[]", "{}", "null"],
    ),
    async check(text) {
      writeFileSync(join(folder, "tokenpair.config.json"), text);
      const read = await readConfigFile(folder).catch((error: unknown) => {
        expect(error).toBeInstanceOf(ConfigError);
        return null;
      });
      if (read !== null) expect(read.settings).toEqual(JSON.parse(Buffer.from(text).toString()));
    },
  };
}
