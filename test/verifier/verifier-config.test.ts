import { describe, expect, it } from "vitest";
import { SettingError } from "../../src/core/settings/setting-error.ts";
import type { VerifierOptions } from "../../src/verifier/options.ts";
import { toVerifierConfig } from "../../src/verifier/verifier-config.ts";
import { audience, credential, issuer } from "./peer.ts";

const good = { issuer, audience, credential };

describe("the options of a verifier", () => {
  it("have defaults", () => {
    const config = toVerifierConfig(good);
    expect(config).toMatchObject({
      ...{ url: issuer, credential, revocations: "stream", maxStaleness: 10, onStale: "refuse", pullInterval: 0.5 },
      relay: null,
      settings: { issuer, audience, leeway: 30, clockTolerance: 60, verifyCacheSize: 10_000, authPath: "/api/auth" },
    });
  });

  it.each<[string, object, string]>([
    ["no issuer", { issuer: undefined }, "issuer must be the issuer's URL"],
    ["an issuer that is no URL", { issuer: "tokenpair" }, "issuer must be"],
    ["an issuer over http on another machine", { issuer: "http://id.example" }, "issuer must be"],
    ["no audience", { audience: undefined }, "audience must be"],
    ["an empty audience", { audience: "" }, "audience must be"],
    ["a URL with a password", { url: "https://a:b@id.example" }, "url must be"],
    ["a URL with a query", { url: "https://id.example/?a" }, "url must be"],
    ["no credential", { credential: undefined }, "credential must be tps_"],
    ["another text as the credential", { credential: "hunter2" }, "credential must be tps_"],
    ["an unknown way to read", { revocations: "push" }, "revocations must be one of"],
    ["true as the way to read", { revocations: true }, "revocations must be one of"],
    ["too long a staleness", { maxStaleness: 3_601 }, "maxStaleness must be"],
    ["no staleness at all", { maxStaleness: 0 }, "maxStaleness must be"],
    ["an interval beyond the staleness", { pullInterval: 11 }, "pullInterval must not be longer"],
    ["a negative interval", { pullInterval: -1 }, "pullInterval must be"],
    ["too long a leeway", { leeway: 301 }, "leeway must be"],
    ["a negative cache", { cacheSize: -1 }, "cacheSize must be"],
    ["another onStale", { onStale: "wait" }, "onStale must be one of"],
    ["a listener that is no function", { onEvent: "log" }, "onEvent must be a function"],
    ["a wrong setting", { settings: { authPath: "auth" } }, "settings.authPath must be"],
    [
      "settings that contradict each other",
      { settings: { csrfCookieName: "__Host-Http-access" } },
      "csrfCookieName must",
    ],
    ["a relay of polls", { revocations: "poll", relay: { credentials: [credential] } }, "relay needs revocations"],
    ["a relay without credentials", { relay: { credentials: [] } }, "relay must have a list"],
    ["a relay with a wrong credential", { relay: { credentials: ["hunter2"] } }, "relay must have a list"],
    [
      "a relay with too long a lease",
      { relay: { credentials: [credential], longestLease: 4_000 } },
      "longestLease must",
    ],
  ])("refuse %s", (_, changes, message) => {
    const create = () => toVerifierConfig({ ...good, ...changes } as VerifierOptions);
    expect(create).toThrow(SettingError);
    expect(create).toThrow(message);
    expect(create).not.toThrow("hunter2");
  });

  it("suggest the closest name for an unknown one", () => {
    expect(() => toVerifierConfig({ ...good, maxStalenes: 5 } as never)).toThrow("Did you mean maxStaleness?");
    expect(() => toVerifierConfig({ ...good, settings: { authpath: "/a" } } as never)).toThrow(
      "Did you mean authPath?",
    );
    expect(() => toVerifierConfig({ ...good, relay: { credential } } as never)).toThrow("Did you mean credentials?");
  });

  it("need no credential without revocations", () => {
    expect(toVerifierConfig({ issuer, audience, revocations: false }).credential).toBeNull();
  });

  it("let a relay's readers be as patient as the relay, or as longestLease says", () => {
    const relay = { credentials: [credential] };
    expect(toVerifierConfig({ ...good, relay, maxStaleness: 5 }).relay?.longestLease).toBe(5);
    expect(toVerifierConfig({ ...good, relay: { ...relay, longestLease: 60 } }).relay?.longestLease).toBe(60);
  });
});
