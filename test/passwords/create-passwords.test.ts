import { hash as hashBcrypt } from "@node-rs/bcrypt";
import { describe, expect, it } from "vitest";
import { AuthError } from "../../src/core/errors.ts";
import { SettingError } from "../../src/core/settings/setting-error.ts";
import { createPasswords } from "../../src/passwords/create-passwords.ts";
import { expectRefused } from "../flows/flow.ts";

const cheap = { memoryCost: 64, timeCost: 1 };
const passwords = createPasswords(cheap);
const password = "correct horse battery staple";
const pepper = "2026:0123456789abcdef";

const correct = { isCorrect: true, needsUpgrade: false, newHash: null };
const wrong = { isCorrect: false, needsUpgrade: false, newHash: null };

describe("createPasswords", () => {
  it("verifies the password that it hashed, and no other", async () => {
    const stored = await passwords.hash(password);
    expect(await passwords.verify(stored, password)).toEqual(correct);
    expect(await passwords.verify(stored, `${password} `)).toEqual(wrong);
  });

  it("hashes with argon2id and OWASP's parameters by default", async () => {
    expect(await createPasswords().hash(password)).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  it("accepts a password in whichever Unicode form a keyboard sends it", async () => {
    const stored = await passwords.hash("cafe\u0301 au lait");
    expect(await passwords.verify(stored, "caf\u00e9 au lait")).toEqual(correct);
    expect(await passwords.verify(stored, "cafe\u0301 au lait")).toEqual(correct);
  });

  it.each([null, undefined, "", "!unusable", "no hash", password])(
    "hashes once for the stored text %j, as for a wrong password, and answers that the password is wrong",
    async (stored) => {
      const verification = passwords.verify(stored, password);
      expect(passwords.stats()).toMatchObject({ inFlight: 1, waiting: 0 });
      expect(await verification).toEqual(wrong);
      const counted = passwords.verify(await passwords.hash("another"), password);
      expect(passwords.stats()).toMatchObject({ inFlight: 1, waiting: 0 });
      expect(await counted).toEqual(wrong);
    },
  );

  it.each([
    ["a weaker hash", () => createPasswords({ memoryCost: 32, timeCost: 1 }).hash(password)],
    ["Django's PBKDF2", async () => "pbkdf2_sha1$1000$abcdefghijklmnopqrstuv$pPaxJdc/I8uPjvkfuFn3JbjEDOw="],
    ["plain bcrypt", () => hashBcrypt(password, { cost: 4 })],
    ["Django's bcrypt", async () => `bcrypt$${await hashBcrypt(password, { cost: 4 })}`],
  ])("returns a new hash for the correct password of %s, and none for a wrong one", async (_, toStored) => {
    const stored = await toStored();
    expect(await passwords.verify(stored, "another")).toEqual(wrong);
    const { newHash, ...rest } = await passwords.verify(stored, password);
    expect(rest).toEqual({ isCorrect: true, needsUpgrade: true });
    expect(newHash).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
    expect(await passwords.verify(newHash, password)).toEqual(correct);
  });

  it("says that a hash needs an upgrade, but has no new one, while the queue is busy", async () => {
    const busy = createPasswords({ ...cheap, concurrency: 1 });
    const stored = await createPasswords({ memoryCost: 32, timeCost: 1 }).hash(password);
    const verification = busy.verify(stored, password);
    const others = [busy.hash("another"), busy.hash("a third")];
    expect(await verification).toEqual({ isCorrect: true, needsUpgrade: true, newHash: null });
    await Promise.all(others);
  });

  it("refuses a hash at once if too many wait, and counts it", async () => {
    const narrow = createPasswords({ ...cheap, concurrency: 1, queueLimit: 1 });
    const [first, second] = [narrow.hash("one"), narrow.verify(null, "two")];
    await expectRefused(narrow.hash("three"), "unavailable");
    expect(narrow.stats()).toEqual({ inFlight: 1, waiting: 1, rejected: 1 });
    await Promise.all([first, second]);
    expect(narrow.stats()).toEqual({ inFlight: 0, waiting: 0, rejected: 1 });
  });

  it("moves a hash to the first pepper, and can't verify one whose pepper is missing", async () => {
    const plain = await passwords.hash(password);
    const peppered = createPasswords({ ...cheap, peppers: [pepper] });
    const { newHash } = await peppered.verify(plain, password);
    expect(newHash).toContain(",keyid=");
    expect(await peppered.verify(newHash, password)).toEqual(correct);
    const error = await passwords.verify(newHash, password).catch((refused: unknown) => refused);
    expect(error).toBeInstanceOf(AuthError);
    expect(error).toMatchObject({ code: "unavailable", cause: { message: expect.stringMatching(/2026 is missing/) } });
  });

  it("accepts Django's MD5 only with acceptMd5", async () => {
    // MD5 of "salt" and "password".
    const stored = "md5$salt$67a1e09bb1f83f5007dc119c14d663aa";
    expect(await passwords.verify(stored, "password")).toEqual(wrong);
    const lenient = createPasswords({ ...cheap, acceptMd5: true });
    expect(await lenient.verify(stored, "password")).toMatchObject({ isCorrect: true, needsUpgrade: true });
  });

  it.each([
    ["short", "1234567", {}, /too short.* 8 characters/],
    ["short for minLength", "abcdefgh-14-ch", { minLength: 15 }, /too short.* 15 characters/],
    ["long", "x".repeat(1_025), {}, /too long/],
    ["common", "Password1", {}, /too common/],
    ["the username", "xx Ada.Lovelace 1", {}, /contains the username/],
    ["blank", " ".repeat(9), {}, /blank/],
  ])("refuses a new password that is %s, with a sentence for the user", async (_, refused, options, sentence) => {
    const checking = createPasswords({ ...cheap, ...options });
    const error = await checking
      .check(refused, { username: "ada.lovelace" })
      .catch((thrown: unknown) => thrown as AuthError);
    expect(error).toMatchObject({ code: "password_refused", reason: expect.stringMatching(sentence) });
  });

  it("verifies the longest password that a request to the server can have, and hashes no longer one", async () => {
    const longest = "x".repeat(16_384);
    const stored = await passwords.hash(longest);
    expect(await passwords.verify(stored, longest)).toEqual(correct);
    for (const known of [stored, null]) {
      const verification = passwords.verify(known, `${longest}x`);
      expect(passwords.stats()).toMatchObject({ inFlight: 0, waiting: 0 });
      expect(await verification).toEqual(wrong);
    }
    await expectRefused(passwords.hash(`${longest}x`), "password_refused");
  });

  it.each([
    ["peppers", [pepper]],
    ["memoryCost", 64],
    ["acceptMd5", true],
  ])("reads no option from a polluted prototype: %s", async (option, value) => {
    const prototype = Object.prototype as unknown as Record<string, unknown>;
    prototype[option] = value;
    let polluted: ReturnType<typeof createPasswords>;
    try {
      polluted = createPasswords({ timeCost: 1 });
    } finally {
      delete prototype[option];
    }
    const stored = await polluted.hash(password);
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=1,p=1\$/);
    // MD5 of "salt" and "password".
    expect(await polluted.verify("md5$salt$67a1e09bb1f83f5007dc119c14d663aa", "password")).toEqual(wrong);
  });

  it("accepts a good new password, with and without a username", async () => {
    await expect(passwords.check(password)).resolves.toBeUndefined();
    await expect(passwords.check(password, { username: undefined })).resolves.toBeUndefined();
    await expect(passwords.check(password, { username: "ada" })).resolves.toBeUndefined();
  });

  it.each(["hash", "check"] as const)("%s refuses what isn't a string, and doesn't show it", async (method) => {
    await expect(passwords[method](12345678 as never)).rejects.toThrow(/must be a string, got a number/);
    await expect(passwords.verify(null, undefined as never)).rejects.toThrow(/must be a string, got undefined/);
  });

  it.each([
    [{ minLength: 7 }, "minLength must be a whole number of characters from 8 to 64, got 7"],
    [{ memoryCost: 127, parallelism: 16 }, "memoryCost must be at least 8 KiB for each thread, got 127 for 16."],
    [{ memoryCost: 262_144, timeCost: 5 }, "timeCost times memoryCost must be at most 1 GiB"],
    [{ peppers: [pepper, "2026:fedcba9876543210"] }, "peppers must have different ids"],
    [{ peppers: ["2026:short"] }, 'peppers must be a list of peppers as "id:key"'],
    [{ queueLimit: -1 }, "queueLimit must be a whole number of hashes from 0 to 10000, got -1"],
  ])("refuses the options %j with a SettingError that names the option", (options, message) => {
    expect(() => createPasswords(options)).toThrow(SettingError);
    expect(() => createPasswords(options)).toThrow(message);
  });

  it("shows no pepper in an error", () => {
    expect(() => createPasswords({ peppers: ["my secret pepper"] })).not.toThrow(/my secret/);
    expect(() => createPasswords({ peppers: ["my secret pepper"] })).toThrow(SettingError);
  });

  it("suggests the closest option for an unknown one", () => {
    expect(() => createPasswords({ minLenght: 8 } as object)).toThrow(
      "createPasswords: minLenght is not an option. Did you mean minLength?",
    );
    expect(() => createPasswords({ minLenght: 8 } as object)).toThrow(TypeError);
  });
});
