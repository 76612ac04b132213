import { hash } from "@node-rs/argon2";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPasswordHasher } from "../../src/crypto/passwords.ts";

const cheap = { memoryCost: 64, timeCost: 1 };
const settings = { passwordMemoryCost: 64, passwordTimeCost: 1 };
const hasher = createPasswordHasher(settings);

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
    const encoded = await hash("p", { memoryCost: 64, timeCost: 2, parallelism: 2, ...less });
    const dear = createPasswordHasher({ ...settings, passwordTimeCost: 2, passwordParallelism: 2 });
    expect(await dear.verify(encoded, "p")).toEqual({ password: "p", isOutdated: true });
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
    // Not replaced, as the new hash would not open to what this client sends.
    expect(await hasher.verify(encoded, ` ${password}\n`)).toEqual({ password, isOutdated: false });
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

describe("peppers", () => {
  const [of2025, of2026] = ["2025:a pepper of 2025, kept".replaceAll(/[ ,]/g, "-"), "2026:another-pepper-of-2026"];
  const withPeppers = (...passwordPeppers: string[]) => createPasswordHasher({ ...settings, passwordPeppers });

  it("go into new hashes, which name the first of them", async () => {
    const encoded = await withPeppers(of2026, of2025).hash("p");
    expect(encoded).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1,keyid=MjAyNg\$[^$]+\$[^$]+$/);
    expect(await withPeppers(of2026).verify(encoded, "p")).toEqual({ password: "p", isOutdated: false });
    expect(await withPeppers(of2026).verify(encoded, "q")).toBeNull();
    expect(await withPeppers("2026:a-key-that-was-mistyped").verify(encoded, "p")).toBeNull();
    expect(await hasher.verify(encoded.replace(",keyid=MjAyNg", ""), "p")).toBeNull();
  });

  it("verify hashes of an older one, and of none, and call them outdated", async () => {
    const rotated = withPeppers(of2026, of2025);
    for (const encoded of [await withPeppers(of2025).hash("p"), await hasher.hash("p")]) {
      expect(await rotated.verify(encoded, "p")).toEqual({ password: "p", isOutdated: true });
      expect(await rotated.verify(encoded, "q")).toBeNull();
    }
  });

  it("that are not here make a hash unavailable, and the error names the pepper and not the key", async () => {
    const encoded = await withPeppers(of2025).hash("p");
    for (const passwordPeppers of [[], [of2026]]) {
      const error = await withPeppers(...passwordPeppers)
        .verify(encoded, "p")
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: "AuthError", code: "unavailable" });
      expect((error as Error).cause).toEqual(
        new Error("passwordPeppers: 2025 is missing, and stored hashes need it; put it back"),
      );
    }
  });

  it("are named in an error only where the name could be one", async () => {
    const foreign = (await withPeppers(of2025).hash("p")).replace("MjAyNQ", "AAEC");
    await expect(hasher.verify(foreign, "p")).rejects.toMatchObject({
      cause: new Error("passwordPeppers: a pepper is missing, and stored hashes need it; put it back"),
    });
  });
});

describe("the queue of a hasher", () => {
  const crowded = { ...settings, passwordHashConcurrency: 1, passwordQueueLimit: 1 };

  it("bounds hashes and verifications of every kind together, and refuses the next at once", async () => {
    const django = "pbkdf2_sha1$1000$abcdefghijklmnopqrstuv$pPaxJdc/I8uPjvkfuFn3JbjEDOw=";
    const own = await hasher.hash("p");
    const busy = createPasswordHasher(crowded);
    const calls = [() => busy.hash("p"), () => busy.verify(own, "p"), () => busy.verify(django, "p")];
    for (const first of calls) {
      for (const next of [...calls, () => busy.verify(null, "p")]) {
        const running = [first(), first()];
        expect(busy.load()).toMatchObject({ inFlight: 1, waiting: 1 });
        await expect(next()).rejects.toMatchObject({ name: "AuthError", code: "unavailable" });
        expect(() => busy.requireRoom()).toThrow(expect.objectContaining({ code: "unavailable" }));
        await Promise.all(running);
      }
    }
    expect(busy.load()).toEqual({ inFlight: 0, waiting: 0, rejected: 24 });
  });

  it("has no hash waiting that can be made another time", async () => {
    const busy = createPasswordHasher(crowded);
    const running = busy.hash("p");
    expect(await busy.hashIfFree("p")).toBeNull();
    await running;
    expect(await busy.hashIfFree("p")).toMatch(/^\$argon2id\$/);
    expect(busy.load().rejected).toBe(0);
  });
});
