import { expect } from "vitest";
import { toCookieNames } from "../../../src/core/settings/cookie-names.ts";
import { defaultSettings } from "../../../src/core/settings/settings.ts";
import { createDeviceToken, openDeviceToken } from "../../../src/crypto/device-tokens.ts";
import { createServiceCredential, hashServiceCredential } from "../../../src/crypto/service-credential.ts";
import { readCookies } from "../../../src/http/cookies/cookies.ts";
import { createCsrfToken, isCsrfToken } from "../../../src/http/cookies/csrf-token.ts";
import { createBearerReader } from "../../../src/http/request/bearer.ts";
import { createClientIpFinder } from "../../../src/http/request/client-ip.ts";
import { readServiceCredential } from "../../../src/http/request/service-credential.ts";
import { readIdempotencyKey } from "../../../src/http/routes/token/refresh.ts";
import { toCode } from "../../crypto/forge.ts";
import { mutationsOf, toHeaderValue } from "../mutations.ts";
import type { FuzzTarget } from "../target.ts";

export const authorization: FuzzTarget = {
  name: "an Authorization header",
  inputs: mutationsOf(["Bearer a.b.c", "bearer\ta.b.c", "Basic YTpi", "Bearer"], ["Bearer ", "\t", " "]).map(
    toHeaderValue,
  ),
  check(text) {
    let token: string | null = null;
    const refusal = toCode(() => {
      token = readBearerToken({ authorization: text });
    });
    expect([undefined, "bad_authorization_header"]).toContain(refusal);
    if (token !== null) expect(text).toMatch(/^[ \t]*bearer[ \t]+[^ \t]+[ \t]*$/i);
  },
};

const service = createServiceCredential((size) => new Uint8Array(size).fill(5));
const basic = Buffer.from(`billing:${service.credential}`).toString("base64");

export const serviceCredential: FuzzTarget = {
  name: "the Authorization header of a service",
  inputs: mutationsOf(
    [`Bearer ${service.credential}`, `Basic ${basic}`, "Basic YTpi", "Basic"],
    ["Bearer ", "basic\t", ":", "=", "tps_", basic],
  ).map(toHeaderValue),
  check(text) {
    const presented = readServiceCredential({ authorization: text });
    expect(presented).not.toBeNull();
    if (hashServiceCredential(presented?.credential ?? "") === null) return;
    const [, encoded] = /^basic[ \t]+(\S+)/i.exec(text) ?? [];
    const plain = encoded === undefined ? text : Buffer.from(encoded, "base64").toString();
    expect(plain).toMatch(encoded === undefined ? /^bearer[ \t]+tps_[\w-]{43}[ \t]*$/i : /^[^:]*:tps_[\w-]{43}$/);
  },
};

const readBearerToken = createBearerReader(defaultSettings);
const { device: _, ...cookieNames } = toCookieNames(defaultSettings);
const names = Object.values(cookieNames);

export const cookies: FuzzTarget = {
  name: "a Cookie header",
  inputs: mutationsOf(
    [names.map((name) => `${name}=a.b.c`).join("; "), `theme=dark; ${names[0]}=x`, names.map((n) => `${n}=`).join(";")],
    [...names, "=", ";", "; "],
  ).map(toHeaderValue),
  check(text) {
    const { access, refresh, csrf, hasDuplicates, refreshCandidates } = readCookies({ cookie: text }, defaultSettings);
    for (const value of [access, refresh, csrf]) if (value !== undefined) expect(text).toContain(`=`);
    // A second, simple reader finds the same duplicates.
    const seen = text.split(";").map((pair) => pair.split("=", 1)[0]?.replaceAll(/^[ \t]+|[ \t]+$/g, ""));
    const hasTwo = (name: string) => count(seen, name, text) > 1;
    expect(hasDuplicates).toBe(hasTwo(cookieNames.access) || hasTwo(cookieNames.csrf));
    expect(refreshCandidates !== undefined).toBe(hasTwo(cookieNames.refresh));
  },
};

function count(seen: readonly (string | undefined)[], name: string, text: string): number {
  const pairs = text.split(";");
  return seen.filter((candidate, i) => candidate === name && pairs[i]?.includes("=")).length;
}

const csrfKey = new Uint8Array(32).fill(3);
const random = (size: number) => new Uint8Array(size).fill(9);
const sessionToken = createCsrfToken(csrfKey, "session", random);
const anonymousToken = createCsrfToken(csrfKey, null, random);

export const csrfToken: FuzzTarget = {
  name: "a CSRF token",
  inputs: mutationsOf([sessionToken, anonymousToken, "."], ["."]),
  check(text) {
    expect(isCsrfToken(csrfKey, text, "session")).toBe(text === sessionToken);
    expect(isCsrfToken(csrfKey, text, null)).toBe(text === anonymousToken);
  },
};

export const idempotencyKey: FuzzTarget = {
  name: "an Idempotency-Key",
  inputs: mutationsOf(["A".repeat(22), "a-_9".repeat(32), "z".repeat(21)]).map(toHeaderValue),
  check(text) {
    let read: string | undefined;
    const refusal = toCode(() => {
      read = readIdempotencyKey(new Headers({ "Idempotency-Key": text }));
    });
    const isGood = /^[\w-]+$/.test(text) && text.length >= 22 && text.length <= 128;
    expect(refusal).toBe(isGood ? undefined : "bad_idempotency_key");
    expect(read).toBe(isGood ? text : undefined);
  },
};

const device = createDeviceToken(csrfKey, "alice", { userId: "1", userEpoch: 0, issuedAt: 1 }, random);

export const deviceToken: FuzzTarget = {
  name: "a device token",
  inputs: mutationsOf([device], []),
  check(text) {
    expect(openDeviceToken(csrfKey, "alice", text)?.userId).toBe(text === device ? "1" : undefined);
    expect(openDeviceToken(csrfKey, "bob", text)).toBeNull();
  },
};

/** The trusted proxy 10.0.0.1 adds the address that it sees, 192.0.2.7, to what a client has sent. */
export const forwardedFor: FuzzTarget = {
  name: "a forwarded header",
  inputs: mutationsOf(
    ["203.0.113.9", "for=203.0.113.9", 'for="[2001:db8::1]:4711";proto=https', "unknown", '"', "10.0.0.1"],
    [",", ";", "for=", '"', "[", "]", ":", "10.0.0.1"],
  ).map(toHeaderValue),
  check(text) {
    for (const [forwardedHeader, own] of [
      ["X-Forwarded-For", "192.0.2.7"],
      ["Forwarded", "for=192.0.2.7"],
    ] as const) {
      const find = createClientIpFinder({ trustedProxies: ["10.0.0.1"], forwardedHeader });
      expect(find({ [forwardedHeader]: `${text}, ${own}` }, { ip: "10.0.0.1" })).toBe("192.0.2.7");
      expect(find({ [forwardedHeader]: text }, { ip: "192.0.2.8" })).toBe("192.0.2.8");
    }
  },
};
