import { hash } from "@node-rs/argon2";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPasswordHasher } from "../../src/crypto/passwords.ts";

const cheap = { memoryCost: 64, timeCost: 1 };
const hasher = createPasswordHasher(cheap);

describe("a password hasher", () => {
  it("verifies the password it hashed and no other", async () => {
    const encoded = await hasher.hash("correct horse");
    expect(await hasher.verify(encoded, "correct horse")).toEqual({ password: "correct horse", isOutdated: false });
    for (const other of ["correct hors", "correct horse ", "Correct horse", ""]) {
      expect(await hasher.verify(encoded, other)).toBeNull();
    }
  });

  it("takes any password exactly as it is", async () => {
    for (const password of ["", " ", "\0", "a\0b", "pässwörd", "😀", "x".repeat(10_000)]) {
      const encoded = await hasher.hash(password);
      expect(await hasher.verify(encoded, password)).toMatchObject({ password });
      expect(await hasher.verify(encoded, `${password}\0`)).toBeNull();
    }
  });

  it("hashes with argon2id at OWASP's parameters under a fresh salt", async () => {
    const standard = createPasswordHasher();
    const [one, two] = await Promise.all([standard.hash("p"), standard.hash("p")]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.toBe(two);
  });

  it("verifies hashes of other parameters within the cap", async () => {
    const encoded = await hash("p", { memoryCost: 256, timeCost: 3, parallelism: 2 });
    expect(await hasher.verify(encoded, "p")).toEqual({ password: "p", isOutdated: false });
  });

  it.each([
    ["memory", { memoryCost: 63 }],
    ["passes", { timeCost: 1 }],
    ["threads", { parallelism: 1 }],
    ["salt", { salt: new Uint8Array(15) }],
    ["output", { outputLen: 31 }],
  ])("calls a hash with less %s than its own outdated", async (_, less) => {
    const dear = { memoryCost: 64, timeCost: 2, parallelism: 2 };
    const encoded = await hash("p", { ...dear, ...less });
    expect(await createPasswordHasher(dear).verify(encoded, "p")).toEqual({ password: "p", isOutdated: true });
  });
});

describe("a hash of Django's", () => {
  const encoded = "pbkdf2_sha1$1000$abcdefghijklmnopqrstuv$pPaxJdc/I8uPjvkfuFn3JbjEDOw=";
  const password = "correct horse battery staple";

  it("is verified, and outdated", async () => {
    expect(await hasher.verify(encoded, password)).toEqual({ password, isOutdated: true });
    expect(await hasher.verify(encoded, "another")).toBeNull();
  });

  it("also matches without the white space around a password, as simplejwt has it, and says what matched", async () => {
    expect(await hasher.verify(encoded, ` ${password}\n`)).toEqual({ password, isOutdated: true });
  });

  it("matches a password with white space around it exactly as it is", async () => {
    const spacious = "pbkdf2_sha256$1000$abcdefghijklmnopqrstuv$otDs+1EljletYHqroYrS/1yOdkwrHKjXS2LK+9rDtYo=";
    expect(await hasher.verify(spacious, " x y ")).toEqual({ password: " x y ", isOutdated: true });
    expect(await hasher.verify(spacious, "x y")).toBeNull();
  });
});

describe("a hash that cannot be verified", () => {
  const salt = "c2FsdHNhbHRzYWx0c2FsdA";
  const output = "A".repeat(43);

  it.each([
    ["null", null],
    ["empty", ""],
    ["Django's unusable password", "!abcdefgh"],
    ["a malformed one of Django's", "pbkdf2_sha256$1000$salt$AAAA"],
    ["argon2i", `$argon2i$v=19$m=64,t=1,p=1$${salt}$${output}`],
    ["the old version", `$argon2id$v=16$m=64,t=1,p=1$${salt}$${output}`],
    ["no version", `$argon2id$m=64,t=1,p=1$${salt}$${output}`],
    ["no output", `$argon2id$v=19$m=64,t=1,p=1$${salt}`],
    ["an output of three bytes", `$argon2id$v=19$m=64,t=1,p=1$${salt}$AAAA`],
    ["a salt of three bytes", `$argon2id$v=19$m=64,t=1,p=1$AAAA$${output}`],
    ["parameters of zero", `$argon2id$v=19$m=0,t=0,p=0$${salt}$${output}`],
    ["negative parameters", `$argon2id$v=19$m=-1,t=1,p=1$${salt}$${output}`],
    ["2 TiB of memory", `$argon2id$v=19$m=2147483647,t=1,p=1$${salt}$${output}`],
    ["four thousand million passes", `$argon2id$v=19$m=64,t=4294967295,p=1$${salt}$${output}`],
    ["255 threads", `$argon2id$v=19$m=4096,t=1,p=255$${salt}$${output}`],
  ])("matches nothing, and does not throw: %s", async (_, encoded) => {
    expect(await hasher.verify(encoded, "p")).toBeNull();
  });

  it("matches nothing where an output of a few bytes would match the password", async () => {
    const encoded = await hash("p", { ...cheap, outputLen: 8 });
    expect(await hasher.verify(encoded, "p")).toBeNull();
  });

  it("matches nothing where another variant or version of argon2 would match the password", async () => {
    for (const other of [{ algorithm: 0 }, { algorithm: 1 }, { version: 0 }]) {
      expect(await hasher.verify(await hash("p", { ...cheap, ...other }), "p")).toBeNull();
    }
  });

  it("never throws, whatever was stored", async () => {
    const encoded = await hasher.hash("p");
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: encoded.length }),
        fc.nat({ max: 3 }),
        fc.string({ maxLength: 3 }),
        async (i, cut, text) => {
          const verdict = await hasher.verify(encoded.slice(0, i) + text + encoded.slice(i + cut), "p");
          expect(verdict === null || verdict.password === "p").toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("the cost of a hasher", () => {
  it("may not be more than it would spend on verifying", () => {
    expect(() => createPasswordHasher({ memoryCost: 1_000_000 })).toThrow(TypeError);
    expect(() => createPasswordHasher({ timeCost: 1_000 })).toThrow(TypeError);
    expect(() => createPasswordHasher({ parallelism: 64 })).toThrow(TypeError);
  });
});
