import { hash } from "@node-rs/argon2";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseStoredHash } from "../../../src/crypto/passwords/stored-hash.ts";
import { readVectors } from "../vectors.ts";

interface DjangoVectors {
  readonly vectors: readonly {
    readonly name: string;
    readonly password: string;
    readonly encoded: string;
    readonly valid: boolean;
  }[];
}

const base64 = (length: number) => Buffer.alloc(length, 7).toString("base64");
const unpadded = (length: number) => base64(length).replace(/=+$/, "");

const bcryptTail = `${"a".repeat(21)}u${"b".repeat(31)}`;

/** A well-formed hash of each format, made of its fields. */
const django = {
  pbkdf2: (iterations: string, salt = "salt", output = base64(32)) => `pbkdf2_sha256$${iterations}$${salt}$${output}`,
  scrypt: (n: string, r = "8", p = "1", output = base64(64)) => `scrypt$${n}$salt$${r}$${p}$${output}`,
  bcrypt: (cost: string, version = "2b") => `bcrypt$$${version}$${cost}$${bcryptTail}`,
  argon2: (parameters: string, salt = unpadded(16), output = unpadded(32)) =>
    `argon2$argon2id$v=19$${parameters}$${salt}$${output}`,
};

describe("the hashes that Django 5.2 makes", () => {
  it("verify as Django verifies them", async (context) => {
    const { vectors } = readVectors<DjangoVectors>("django/password-hashes-django5.2.json", context);
    expect(vectors.length).toBeGreaterThan(50);
    const wrong: string[] = [];
    for (const { name, password, encoded, valid } of vectors) {
      const stored = parseStoredHash(encoded, { acceptMd5: true });
      const matches = stored.outcome === "django" && (await stored.matches(password));
      if (matches !== valid) wrong.push(name);
    }
    expect(wrong).toEqual([]);
  });

  it("tell whether a password can log in at all, and name no stored text where they are refused", (context) => {
    const { vectors } = readVectors<DjangoVectors>("django/password-hashes-django5.2.json", context);
    for (const { name, encoded } of vectors) {
      const stored = parseStoredHash(encoded);
      if (name.startsWith("unusable") || name === "empty encoded") expect(stored.outcome).toBe("unusable");
      if (name.startsWith("malformed")) expect(stored.outcome).toBe("refused");
      if (stored.outcome !== "refused") continue;
      for (const field of encoded.split("$").slice(1)) {
        if (field.length > 2) expect(stored.reason).not.toContain(field);
      }
    }
  });
});

describe("a stored hash", () => {
  it.each([
    ["argon2i", { algorithm: 1 }],
    ["argon2d", { algorithm: 0 }],
    ["argon2id of version 16", { version: 0 }],
  ])("verifies under Django's prefix: %s", async (_, options) => {
    const encoded = await hash("p", { memoryCost: 64, timeCost: 1, ...options });
    for (const form of [encoded, encoded.replace("$v=16", "")]) {
      const stored = parseStoredHash(`argon2${form}`);
      if (stored.outcome !== "django") throw new Error(`${form} is ${stored.outcome}`);
      expect(await stored.matches("p")).toBe(true);
      expect(await stored.matches("q")).toBe(false);
    }
  });

  it("verifies with bcrypt under each of its versions", async () => {
    const encoded = "bcrypt$$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG";
    for (const version of ["2a", "2b", "2y"]) {
      const stored = parseStoredHash(encoded.replace("2b", version));
      expect(stored.outcome === "django" && (await stored.matches("correct horse battery staple"))).toBe(true);
    }
    expect(parseStoredHash(encoded.replace("2b", "2x")).outcome).toBe("refused");
  });

  it("of MD5 is refused unless it is asked for, by the name of the setting", () => {
    const encoded = "md5$abcdefghijklmnopqrstuv$522df62df99c6b41d6d951844a353d1c";
    expect(parseStoredHash(encoded)).toEqual({
      outcome: "refused",
      reason: "is MD5, which needs acceptMd5PasswordHashes",
    });
    expect(parseStoredHash(encoded, { acceptMd5: true }).outcome).toBe("django");
  });

  it("may cost as much as the limit and no more", () => {
    const within = [
      django.pbkdf2("5000000"),
      django.scrypt("131072", "8", "4"),
      django.bcrypt("15"),
      django.argon2("m=262144,t=4,p=16"),
    ];
    expect(within.map((encoded) => parseStoredHash(encoded).outcome)).toEqual(within.map(() => "django"));
    const beyond = [
      django.pbkdf2("5000001"),
      django.scrypt("131072", "8", "5"),
      django.scrypt("262144", "9"),
      django.scrypt("2", "1048576"),
      django.bcrypt("16"),
      django.argon2("m=262145,t=1,p=1"),
      django.argon2("m=262144,t=5,p=1"),
      django.argon2("m=262144,t=1,p=17"),
    ];
    for (const encoded of beyond) {
      expect(parseStoredHash(encoded)).toMatchObject({ reason: expect.stringContaining("cost more") });
    }
  });

  it.each([
    ["no text of a hash", "password123"],
    ["a format in capitals", django.pbkdf2("1000").toUpperCase()],
    ["a count with a leading zero", django.pbkdf2("01000")],
    ["a count with a sign", django.pbkdf2("+1000")],
    ["a count in another script", django.pbkdf2("١٠٠٠")],
    ["no salt", django.pbkdf2("1000", "")],
    ["an output that is too short", django.pbkdf2("1000", "salt", base64(31))],
    ["an output that is not canonical base64", django.pbkdf2("1000", "salt", `${base64(32).slice(0, -2)}d=`)],
    ["an output in base64url", django.pbkdf2("1000", "salt", "_".repeat(43))],
    ["a field too many", `${django.pbkdf2("1000")}$`],
    ["an N of 1", django.scrypt("1")],
    ["an N that is no power of two", django.scrypt("1000")],
    ["an N that is too large for its r", django.scrypt("65536", "1")],
    ["an r of zero", django.scrypt("1024", "0")],
    ["a key of another length", django.scrypt("1024", "8", "1", base64(32))],
    ["a bcrypt cost under 4", django.bcrypt("03")],
    ["a bcrypt cost of one digit", django.bcrypt("5")],
    ["bcrypt without Django's prefix", django.bcrypt("12").slice("bcrypt$".length)],
    ["a line break at the end", `${django.bcrypt("12")}\n`],
    ["less memory than argon2 needs", django.argon2("m=15,t=1,p=2")],
    ["parameters in another order", django.argon2("t=1,m=64,p=1")],
    ["a parameter too many", django.argon2("m=64,t=1,p=1,data=QUJD")],
    ["a secret, which Django does not have", django.argon2("m=64,t=1,p=1,keyid=QUJD")],
    ["a salt of seven bytes", django.argon2("m=64,t=1,p=1", unpadded(7))],
    ["an output of 65 bytes", django.argon2("m=64,t=1,p=1", unpadded(16), unpadded(65))],
    ["a very long text", django.pbkdf2("1000", "s".repeat(600))],
  ])("is refused for %s", (_, encoded) => {
    expect(parseStoredHash(encoded).outcome).toBe("refused");
  });

  it("is read without an error, whatever it is", () => {
    const seeds = [django.pbkdf2("1"), django.scrypt("2"), django.argon2("m=8,t=1,p=1"), django.bcrypt("04")];
    const text = fc.string({ unit: fc.constantFrom(..."$=,!.0129azAZ+/\0é"), maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...seeds), fc.nat({ max: 120 }), fc.nat({ max: 3 }), text, (seed, i, cut, put) => {
        const { outcome } = parseStoredHash(seed.slice(0, i) + put + seed.slice(i + cut));
        expect(["own", "django", "unusable", "refused"]).toContain(outcome);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is verified without an error by whatever parameters are let in", async () => {
    const small = fc.nat({ max: 17 }).map(String);
    const encoded = fc.oneof(
      fc.tuple(fc.constantFrom("1", "2", "3", "16", "256"), small, small).map((n) => django.scrypt(...n)),
      fc.tuple(fc.nat({ max: 200 }), small, small).map(([m, t, p]) => django.argon2(`m=${m},t=${t},p=${p}`)),
      small.map((iterations) => django.pbkdf2(iterations, "\ud800")),
    );
    await fc.assert(
      fc.asyncProperty(encoded, async (text) => {
        const stored = parseStoredHash(text);
        expect(stored.outcome === "django" && (await stored.matches("p"))).toBe(false);
      }),
      { numRuns: 200 },
    );
  });
});
