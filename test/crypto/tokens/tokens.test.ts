import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultSettings } from "../../../src/core/settings/settings.ts";
import { toRefreshTokenId } from "../../../src/crypto/secrets.ts";
import { createTokens, type TokensSettings } from "../../../src/crypto/tokens/tokens.ts";
import { forge, keys, toCode, toRefusal } from "../forge.ts";

const now = 1_800_000_000;
const clock = { now: () => now, wall: () => now * 1_000, monotonic: () => 0 };
const count = (size: number) => Uint8Array.from({ length: size }, (_, index) => index);
const setUp = (settings: Partial<TokensSettings> = {}) =>
  createTokens({ keys: () => keys, clock, settings: { ...defaultSettings, ...settings }, random: count });

const tokens = setUp();
const times = { issuedAt: now, expiresAt: now + 1_800 };
const session = { userId: "42", sessionId: "0198c1a2-0000-7000-8000-000000000001", userEpoch: 3 };
const secret = count(32);
const readPayload = (token: string) => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());

const access = {
  token_type: "access",
  exp: now + 1_800,
  iat: now,
  jti: "000102030405060708090a0b0c0d0e0f",
  user_id: "42",
  sid: session.sessionId,
  ue: 3,
  ge: 3,
};
const { ge: _, ...shared } = access;
const refresh = {
  ...shared,
  token_type: "refresh",
  jti: toRefreshTokenId(secret),
  gen: 7,
  secret: Buffer.from(secret).toString("base64url"),
};

describe("an access token", () => {
  it("has exactly the claims that the design says, and the application's", () => {
    const token = tokens.mintAccess({ ...session, ...times, globalEpoch: 3, claims: { role: "admin", tags: ["a"] } });
    expect(readPayload(token)).toEqual({ ...access, role: "admin", tags: ["a"] });
  });

  it("has its claims returned under names that don't depend on the settings", () => {
    const renamed = setUp({ userIdClaim: "sub", tokenTypeClaim: "typ", jtiClaim: "id", issuer: "us", audience: "you" });
    const token = renamed.mintAccess({ ...session, ...times, globalEpoch: 3, claims: { role: "admin" } });
    const { token_type: typ, jti: id, user_id: sub, ...rest } = access;
    const payload = { ...rest, typ, id, sub, iss: "us", aud: "you", role: "admin" };
    expect(renamed.verifyAccess(token)).toEqual({
      type: "access",
      ...session,
      ...times,
      globalEpoch: 3,
      tokenId: id,
      authTime: null,
      amr: [],
      actor: null,
      payload,
    });
  });

  it("says when, how and by whom its user was authenticated", () => {
    const facts = { authTime: 1_700_000_000, amr: ["pwd", "otp"], actor: "support/bob" };
    const token = tokens.mintAccess({ ...session, ...times, globalEpoch: 3, ...facts, claims: {} });
    expect(readPayload(token)).toMatchObject({
      auth_time: 1_700_000_000,
      amr: ["pwd", "otp"],
      act: { sub: "support/bob" },
    });
    expect(tokens.verifyAccess(token)).toMatchObject(facts);
  });

  it.each([
    { auth_time: "1700000000", amr: "pwd", act: "bob" },
    { auth_time: -1, amr: ["pwd", 7], act: { sub: 7 } },
    { auth_time: 1.5, amr: null, act: { sub: "" } },
    { auth_time: null, amr: {}, act: null },
  ])(
    "says nothing about it by claims of another form, as an application of version 0.1 could have them: %j",
    (claims) => {
      const token = forge({ ...access, ...claims });
      expect(tokens.verifyAccess(token)).toMatchObject({ authTime: null, amr: [], actor: null });
    },
  );

  it.each([...Object.keys(refresh), "nbf", "iss", "aud", "auth_time", "amr", "act"])(
    "is not created with an application claim named %s",
    (name) => {
      expect(() => tokens.mintAccess({ ...session, ...times, globalEpoch: 3, claims: { [name]: "mine" } })).toThrow(
        new TypeError(`claims: "${name}" is a claim of tokenpair and cannot be set`),
      );
    },
  );

  it("is not created with application claims that make it too long", () => {
    expect(() =>
      tokens.mintAccess({ ...session, ...times, globalEpoch: 3, claims: { text: "x".repeat(8_000) } }),
    ).toThrow(TypeError);
  });

  it("gives back what it was made of", () => {
    const parts = fc.record({
      userId: fc.string({ minLength: 1 }),
      sessionId: fc.uuid({ version: 7 }),
      userEpoch: fc.maxSafeNat(),
      globalEpoch: fc.maxSafeNat(),
      issuedAt: fc.integer({ min: 0, max: now }),
      expiresAt: fc.integer({ min: now + 1, max: 2 * now }),
    });
    fc.assert(
      fc.property(parts, fc.jsonValue(), (token, value) => {
        const claims = tokens.verifyAccess(tokens.mintAccess({ ...token, claims: { value } }));
        expect(claims).toMatchObject({ ...token, type: "access" });
        expect(claims.payload["value"]).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe("a refresh token", () => {
  it("has exactly the claims that the design says", () => {
    expect(readPayload(tokens.mintRefresh({ ...session, ...times, generation: 7, secret }))).toEqual(refresh);
  });

  it("gives back what it was made of", () => {
    const token = tokens.mintRefresh({ ...session, ...times, generation: 7, secret });
    const claims = {
      type: "refresh",
      ...session,
      ...times,
      tokenId: refresh.jti,
      generation: 7,
      secret: Buffer.from(secret),
    };
    expect(tokens.verifyRefresh(token)).toEqual(claims);
    expect(tokens.verifyAny(token)).toEqual(claims);
  });
});

/** A change of a genuine token's claims: `undefined` leaves one out, and a string is raw JSON. */
type Change = Record<string, unknown> | string;

const common: [string, Change, string][] = [
  ["exp now", { exp: now }, "token_expired"],
  ["exp in the past", { exp: 1 }, "token_expired"],
  ["exp zero", { exp: 0 }, "token_expired"],
  ["no exp", { exp: undefined }, "token_without_exp"],
  ["exp null", { exp: null }, "token_invalid"],
  ["exp as text", { exp: String(now + 9) }, "token_invalid"],
  ["exp with a fraction", { exp: now + 9.5 }, "token_invalid"],
  ["exp negative", { exp: -1 }, "token_invalid"],
  ["exp 1e400", '"exp":1e400', "token_invalid"],
  ["exp -1e400", '"exp":-1e400', "token_invalid"],
  ["exp beyond every time", { exp: 1e300 }, "token_invalid"],
  ["exp as a list", { exp: [now + 9] }, "token_invalid"],
  ["exp true", { exp: true }, "token_invalid"],
  ["iat in the future", { iat: now + 61 }, "token_invalid"],
  ["iat as text", { iat: String(now) }, "token_invalid"],
  ["iat with a fraction", { iat: now - 0.5 }, "token_invalid"],
  ["iat negative", { iat: -1 }, "token_invalid"],
  ["iat null", { iat: null }, "token_invalid"],
  ["iat 1e400", '"iat":1e400', "token_invalid"],
  ["nbf in the future", { nbf: now + 61 }, "token_invalid"],
  ["nbf as an object", { nbf: {} }, "token_invalid"],
  ["nbf null", { nbf: null }, "token_invalid"],
  ["no jti", { jti: undefined }, "token_without_id"],
  ["jti empty", { jti: "" }, "token_invalid"],
  ["jti as a number", { jti: 1 }, "token_invalid"],
  ["no token_type", { token_type: undefined }, "token_without_type"],
  ["another token_type", { token_type: "sliding" }, "token_wrong_type"],
  ["token_type in another case", { token_type: "ACCESS" }, "token_wrong_type"],
  ["token_type as a list", { token_type: ["access"] }, "token_invalid"],
  ["token_type null", { token_type: null }, "token_invalid"],
  ["no user", { user_id: undefined }, "token_without_user"],
  ["user empty", { user_id: "" }, "token_invalid"],
  ["user as a number", { user_id: 42 }, "token_invalid"],
  ["user null", { user_id: null }, "token_invalid"],
  ["user as an object", { user_id: { id: "42" } }, "token_invalid"],
  ["no sid", { sid: undefined }, "token_invalid"],
  ["sid empty", { sid: "" }, "token_invalid"],
  ["sid as a number", { sid: 1 }, "token_invalid"],
  ["no ue", { ue: undefined }, "token_invalid"],
  ["ue as text", { ue: "3" }, "token_invalid"],
  ["ue negative", { ue: -1 }, "token_invalid"],
  ["ue with a fraction", { ue: 0.5 }, "token_invalid"],
  ["sid with NUL", { sid: "a\0b" }, "token_invalid"],
  ["sid with a lone surrogate", { sid: "a\ud800" }, "token_invalid"],
  ["user with NUL", { user_id: "4\0" }, "token_invalid"],
  ["user with a lone surrogate", { user_id: "\udc00" }, "token_invalid"],
  ["jti with NUL", { jti: "\0" }, "token_invalid"],
  ["iss as a number", { iss: 5 }, "token_invalid"],
  ["iss null", { iss: null }, "token_invalid"],
  ["iss as a list", { iss: ["us"] }, "token_invalid"],
  ["aud as a number", { aud: 5 }, "token_invalid"],
  ["aud null", { aud: null }, "token_invalid"],
  ["aud as an object", { aud: {} }, "token_invalid"],
  ["a list with a number as aud", { aud: ["you", 5] }, "token_invalid"],
  ["ue beyond every safe number", { ue: 2 ** 53 }, "token_invalid"],
  ["a claim twice", '"exp":1999999999', "token_invalid"],
  ["expired and of another type", { exp: 1, token_type: "x" }, "token_expired"],
  ["expired and from the future", { exp: 1, iat: now + 61 }, "token_invalid"],
  ["no exp, no jti, no type", { exp: undefined, jti: undefined, token_type: undefined }, "token_without_exp"],
  ["no jti, no type", { jti: undefined, token_type: undefined }, "token_without_id"],
  ["no type, no user", { token_type: undefined, user_id: undefined }, "token_without_type"],
  ["no user, no sid", { user_id: undefined, sid: undefined }, "token_without_user"],
];

function forgeFrom(claims: Record<string, unknown>, change: Change): string {
  if (typeof change !== "string") return forge({ ...claims, ...change });
  // "a claim twice" keeps the claim, and the other raw JSON replaces it.
  const kept = change.includes("1e400") ? { ...claims, [change.split('"')[1] ?? ""]: undefined } : claims;
  return forge(JSON.stringify(kept).replace(/}$/, `,${change}}`));
}

describe("a genuine access token", () => {
  const own: [string, Change, string][] = [
    ["the other type", { token_type: "refresh" }, "token_wrong_type"],
    ["ge as text", { ge: "3" }, "token_invalid"],
    ["ge null", { ge: null }, "token_invalid"],
    ["ge negative", { ge: -1 }, "token_invalid"],
    ["ge with a fraction", { ge: 0.5 }, "token_invalid"],
    ["ge 1e400", '"ge":1e400', "token_invalid"],
    ["ge as a list", { ge: [3] }, "token_invalid"],
    ["ge beyond every safe number", { ge: 2 ** 53 }, "token_invalid"],
  ];
  it.each([...common, ...own])("is refused with %s", (_, change, code) => {
    expect(toCode(() => tokens.verifyAccess(forgeFrom(access, change)))).toBe(code);
  });
});

describe("a genuine refresh token", () => {
  const own: [string, Change, string][] = [
    ["the other type", { token_type: "access" }, "token_wrong_type"],
    ["no gen", { gen: undefined }, "token_invalid"],
    ["gen as text", { gen: "7" }, "token_invalid"],
    ["gen negative", { gen: -1 }, "token_invalid"],
    ["gen with a fraction", { gen: 0.5 }, "token_invalid"],
    ["gen without a successor of 32 bits", { gen: 0xffff_ffff }, "token_invalid"],
    ["no secret", { secret: undefined }, "token_invalid"],
    ["secret empty", { secret: "" }, "token_invalid"],
    ["secret of 31 bytes", { secret: refresh.secret.slice(0, 42) }, "token_invalid"],
    ["secret of 33 bytes", { secret: `${refresh.secret}A` }, "token_invalid"],
    ["secret with padding", { secret: `${refresh.secret}=` }, "token_invalid"],
    ["secret with unused bits", { secret: refresh.secret.replace(/.$/, "9") }, "token_invalid"],
    ["secret as a list", { secret: [refresh.secret] }, "token_invalid"],
    ["another secret", { secret: Buffer.alloc(32).toString("base64url") }, "token_invalid"],
    ["another jti", { jti: access.jti }, "token_invalid"],
  ];
  it.each([...common, ...own])("is refused with %s", (_, change, code) => {
    expect(toCode(() => tokens.verifyRefresh(forgeFrom(refresh, change)))).toBe(code);
  });
});

describe("a refresh token whose jti belongs to its secret", () => {
  it.each([31, 33])("is refused if the secret has %i bytes", (size) => {
    const claims = { jti: toRefreshTokenId(count(size)), secret: Buffer.from(count(size)).toString("base64url") };
    expect(toRefusal(() => tokens.verifyRefresh(forge({ ...refresh, ...claims })))?.reason).toBe(
      "secret is not 32 bytes in base64url",
    );
  });
});

describe("a token of either kind", () => {
  it("is verified as an access token or as a refresh token", () => {
    expect(tokens.verifyAny(forge(access))).toEqual(tokens.verifyAccess(forge(access)));
    expect(tokens.verifyAny(forge(refresh))).toEqual(tokens.verifyRefresh(forge(refresh)));
  });

  it.each(common)("is refused with %s", (_, change, code) => {
    expect(toCode(() => tokens.verifyAny(forgeFrom(access, change)))).toBe(code);
  });

  it("is refused if it is a refresh token without a secret", () => {
    expect(toCode(() => tokens.verifyAny(forge({ ...refresh, secret: undefined })))).toBe("token_invalid");
  });
});

describe("a genuine token", () => {
  it("is accepted without iat, which then counts as 0", () => {
    expect(tokens.verifyAccess(forge({ ...access, iat: undefined })).issuedAt).toBe(0);
  });

  it.each([{ aud: "x" }, { aud: ["x", "y"] }, { aud: [] }])(
    "is accepted with any iss, with %o, if none is configured, and with an nbf that has passed",
    (audience) => {
      expect(tokens.verifyAccess(forge({ ...access, nbf: now, iss: "x", ...audience })).userId).toBe("42");
    },
  );

  it("is accepted until the second before it expires, and with leeway until that many seconds later", () => {
    const lenient = setUp({ leeway: 30 });
    expect(tokens.verifyAccess(forge({ ...access, exp: now + 1 })).expiresAt).toBe(now + 1);
    expect(lenient.verifyAccess(forge({ ...access, exp: now - 29 })).expiresAt).toBe(now - 29);
    expect(toCode(() => lenient.verifyAccess(forge({ ...access, exp: now - 30 })))).toBe("token_expired");
  });

  it("is accepted without ge, as a token of version 0.1", () => {
    expect(tokens.verifyAccess(forge({ ...access, ge: undefined })).globalEpoch).toBeNull();
  });

  it("is accepted with iat and nbf in the future by at most the clock tolerance, whatever the leeway", () => {
    const lenient = setUp({ clockTolerance: 30, leeway: 100 });
    expect(lenient.verifyAccess(forge({ ...access, iat: now + 30, nbf: now + 30 })).issuedAt).toBe(now + 30);
    expect(toCode(() => lenient.verifyAccess(forge({ ...access, iat: now + 31 })))).toBe("token_invalid");
    expect(toCode(() => lenient.verifyAccess(forge({ ...access, nbf: now + 31 })))).toBe("token_invalid");
  });
});

describe("a configured issuer and audience", () => {
  const strict = setUp({ issuer: "us", audience: "you" });

  it.each([
    ["both of them", { iss: "us", aud: "you" }],
    ["a list with the configured audience", { iss: "us", aud: ["them", "you"] }],
  ])("accept a token with %s", (_, claims) => {
    expect(strict.verifyAccess(forge({ ...access, ...claims })).userId).toBe("42");
  });

  it.each([
    ["no iss", { aud: "you" }],
    ["no aud", { iss: "us" }],
    ["another iss", { iss: "US", aud: "you" }],
    ["iss as a list", { iss: ["us"], aud: "you" }],
    ["another aud", { iss: "us", aud: "your" }],
    ["a list without the configured audience", { iss: "us", aud: ["them", "yours"] }],
    ["an empty list", { iss: "us", aud: [] }],
    ["a longer text with the configured audience in it", { iss: "us", aud: "not you" }],
    ["a list with the configured audience and a number", { iss: "us", aud: ["you", 5] }],
    ["a list with the configured audience and null", { iss: "us", aud: [null, "you"] }],
    ["a list in a list", { iss: "us", aud: [["you"]] }],
    ["aud as an object", { iss: "us", aud: { you: "you" } }],
  ])("refuse a token with %s", (_, claims) => {
    expect(toCode(() => strict.verifyAccess(forge({ ...access, ...claims })))).toBe("token_invalid");
  });
});

describe("the claim settings", () => {
  it.each([{ userIdClaim: "sid" }, { jtiClaim: "exp" }, { tokenTypeClaim: "jti" }])(
    "must not give two claims one name: %o",
    (settings) => {
      expect(() => setUp(settings)).toThrow(TypeError);
    },
  );
});

describe("the errors of a refused token", () => {
  it("hold no part of the token or its secret", () => {
    const planted = ["plantedsecretvalue", "plantedclaimvalue", refresh.secret, "42424242"];
    const hostile = [
      ...[...common].map(([, change]) => forgeFrom({ ...refresh, note: "plantedclaimvalue" }, change)),
      forge({ ...refresh, secret: "plantedsecretvalue" }),
      forge({ ...refresh, gen: "plantedclaimvalue", user_id: 42_424_242, token_type: "plantedclaimvalue" }),
      forge({ ...refresh, jti: "plantedclaimvalue" }),
      forge('{"secret":"plantedsecretvalue"'),
      forge("plantedclaimvalue"),
      forge(refresh, { alg: "plantedclaimvalue", kid: "plantedclaimvalue" }),
      forge(refresh, '{"alg":plantedclaimvalue}'),
      `${forge(refresh)}A`,
      "plantedclaimvalue",
      "planted.claim.plantedclaimvalue",
    ];
    for (const token of hostile) {
      const refusal = toRefusal(() => tokens.verifyAccess(token));
      expect(refusal).toBeDefined();
      const shown = [refusal?.message, refusal?.reason, String(refusal?.cause), refusal?.stack].join("\n");
      const parts = [...planted, ...token.split(".").filter((part) => part.length > 7)];
      for (const part of parts) expect(shown).not.toContain(part);
    }
  });
});
