import { describe, expect, it } from "vitest";
import { readEnvironment, toVariableName } from "../../../src/server/config/environment.ts";

describe("readEnvironment", () => {
  it.each([
    ["TOKENPAIR_ACCESS_TOKEN_LIFETIME", "1800", "accessTokenLifetime", 1800],
    ["TOKENPAIR_REUSE_INTERVAL", " 0 ", "reuseInterval", 0],
    ["TOKENPAIR_ROTATE_REFRESH_TOKENS", "false", "rotateRefreshTokens", false],
    ["TOKENPAIR_ROTATE_REFRESH_TOKENS", "1", "rotateRefreshTokens", true],
    ["TOKENPAIR_ROTATE_REFRESH_TOKENS", "observe", "rotateRefreshTokens", "observe"],
    ["TOKENPAIR_UPDATE_LAST_LOGIN", "1", "updateLastLogin", true],
    ["TOKENPAIR_PAGE", "0", "page", false],
    ["TOKENPAIR_BLACKLIST_AFTER_ROTATION", "TRUE", "blacklistAfterRotation", true],
    ["TOKENPAIR_ALGORITHM", "HS512", "algorithm", "HS512"],
    ["TOKENPAIR_ISSUER", "https://id.example", "issuer", "https://id.example"],
    ["TOKENPAIR_AUTH_HEADER_TYPES", "Bearer, JWT", "authHeaderTypes", ["Bearer", "JWT"]],
    ["TOKENPAIR_TRUSTED_ORIGINS", "", "trustedOrigins", []],
    ["TOKENPAIR_PORT", "0", "port", 0],
    ["TOKENPAIR_PASSWORD_MEMORY_COST", "65536", "passwordMemoryCost", 65_536],
    [
      "TOKENPAIR_PASSWORD_PEPPERS",
      "b:0123456789abcdef=, a:fedcba9876543210",
      "passwordPeppers",
      ["b:0123456789abcdef=", "a:fedcba9876543210"],
    ],
    ["TOKENPAIR_DATABASE_URL", "sqlite::memory:", "databaseUrl", "sqlite::memory:"],
  ])("reads %s=%s as the setting %s", (variable, text, setting, value) => {
    expect(readEnvironment({ [variable]: text })).toEqual({ [setting]: value });
  });

  it.each([
    ["TOKENPAIR_ACCESS_TOKEN_LIFETIME", "30m", 'must be a whole number of seconds from 1 to 86400, got "30m"'],
    ["TOKENPAIR_ACCESS_TOKEN_LIFETIME", "1e3", 'must be a whole number of seconds from 1 to 86400, got "1e3"'],
    ["TOKENPAIR_REUSE_INTERVAL", "61", "must be a whole number of seconds from 0 to 60, got 61"],
    ["TOKENPAIR_PAGE", "yes", "must be true or false"],
    ["TOKENPAIR_BLACKLIST_AFTER_ROTATION", "false", "must be true, because a session is one row"],
    ["TOKENPAIR_ON_STALE", "none", 'must be one of "wait", "refuse", "lookup", got "none"'],
    ["TOKENPAIR_AUTH_HEADER_TYPES", "", 'must be a list of authentication schemes such as "Bearer", got an empty list'],
    ["TOKENPAIR_PORT", "65536", "must be a port from 0 to 65535"],
    ["TOKENPAIR_LOG_LEVEL", "loud", 'must be one of "debug", "info", "warn", "error", "silent", got "loud"'],
    ["TOKENPAIR_SIGNING_KEY", "", "is empty; set a value, or remove the variable to use the default"],
    ["TOKENPAIR_CLAIMS", "x", "must be a function; set it in tokenpair.config.js"],
  ])("refuses %s=%s and says why", (variable, text, reason) => {
    expect(() => readEnvironment({ [variable]: text })).toThrow(`${variable}: ${reason}`);
  });

  it("refuses an unknown variable and suggests the closest one", () => {
    expect(() => readEnvironment({ TOKENPAIR_ACESS_TOKEN_LIFETIME: "60" })).toThrow(
      "TOKENPAIR_ACESS_TOKEN_LIFETIME is not a setting. Did you mean TOKENPAIR_ACCESS_TOKEN_LIFETIME?",
    );
  });

  it("never quotes a value in a message", () => {
    const secret = "kept-out-of-every-message";
    for (const variable of [
      "TOKENPAIR_PORT",
      "TOKENPAIR_LOG_LEVEL",
      "TOKENPAIR_CLAIMS",
      "TOKENPAIR_PASSWORD_PEPPERS",
    ]) {
      expect(() => readEnvironment({ [variable]: secret })).toThrow(expect.not.stringContaining(secret));
    }
  });

  it("ignores the variables of other programs", () => {
    expect(readEnvironment({ PATH: "/bin", TOKENPAIRS: "x", tokenpair_port: "1" })).toEqual({});
  });

  it("ignores what Kubernetes sets for Services called tokenpair, tokenpair-metrics and tokenpair-v2", () => {
    const links = (prefix: string, host: string) => ({
      [`${prefix}_SERVICE_HOST`]: host,
      [`${prefix}_SERVICE_PORT`]: "80",
      [`${prefix}_SERVICE_PORT_HTTP_API`]: "80",
      [`${prefix}_PORT`]: `tcp://${host}:80`,
      [`${prefix}_PORT_80_TCP`]: `tcp://${host}:80`,
      [`${prefix}_PORT_80_TCP_PROTO`]: "tcp",
      [`${prefix}_PORT_80_TCP_PORT`]: "80",
      [`${prefix}_PORT_80_TCP_ADDR`]: host,
      [`${prefix}_PORT_53_UDP`]: `udp://${host}:53`,
    });
    const variables = {
      ...links("TOKENPAIR", "10.96.0.17"),
      ...links("TOKENPAIR_METRICS", "10.96.0.18"),
      ...links("TOKENPAIR_V2", "fd00:10:96::11"),
      TOKENPAIR_V2_PORT: "tcp://[fd00:10:96::11]:80",
    };
    expect(readEnvironment(variables)).toEqual({});
    expect(readEnvironment({ ...variables, TOKENPAIR_PORT: "8000", TOKENPAIR_METRICS_PORT: "9464" })).toEqual({
      port: 8000,
      metricsPort: 9464,
    });
  });

  it.each([
    ["TOKENPAIR_PORTT", "8000"],
    ["TOKENPAIR_METRIC_PORT", "9464"],
    ["TOKENPAIR_SERVICE_HOST", "db.example"],
    ["TOKENPAIR_SERVICE_PORT", "http"],
    ["TOKENPAIR_PORT_80_TCP", "80"],
    ["TOKENPAIR_PORT_80_TCP_PROTO", "http"],
    ["TOKENPAIR_HOST_SERVICE", "10.96.0.17"],
  ])("still refuses %s=%s, which Kubernetes doesn't set", (variable, text) => {
    expect(() => readEnvironment({ [variable]: text })).toThrow(`${variable} is not a setting`);
  });

  it("names the variable of a setting in upper snake case", () => {
    expect(toVariableName("accessTokenLifetime")).toBe("TOKENPAIR_ACCESS_TOKEN_LIFETIME");
  });
});
