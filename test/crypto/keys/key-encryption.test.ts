import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { SettingError } from "../../../src/core/settings/setting-error.ts";
import { createKeks } from "../../../src/crypto/keys/key-encryption.ts";

const count = (size: number) => Uint8Array.from({ length: size }, (_, index) => index);
const counted = Buffer.from(count(32)).toString("base64url");
const [first, second] = [randomBytes(32).toString("base64url"), randomBytes(32).toString("base64url")];
const bytes = Buffer.from("a private key of this test");

/** Returns the message of the SettingError that `action` throws. */
function faultOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof SettingError) return error.message;
    throw error;
  }
  return "none";
}

describe("a sealed key", () => {
  it("has the form that the design says", () => {
    // With Python's cryptography: AESGCM(bytes(range(32))).encrypt(bytes(range(12)), text, b"tokenpair-key-v1\0r1")
    const { sealed, kekId } = createKeks(counted, count).seal("r1", bytes);
    expect(Buffer.from(sealed).toString("hex")).toBe(
      "000102030405060708090a0b2622a669ac93a36fe861fceec8c9170ba3a2ef5d835b2b194b137613280650949b06eeb1db4c415fcec4",
    );
    expect(kekId).toBe("21ce07ba");
  });

  it("is opened by the key that sealed it, under its name", () => {
    const keks = createKeks(first);
    const { sealed, kekId } = keks.seal("r1", bytes);
    expect(kekId).toBe(keks.id);
    expect(keks.open("r1", sealed, kekId)).toEqual(bytes);
    expect(createKeks(first).open("r1", sealed, kekId)).toEqual(bytes);
  });

  it("is different each time", () => {
    const keks = createKeks(first);
    expect(keks.seal("r1", bytes).sealed).not.toEqual(keks.seal("r1", bytes).sealed);
  });

  it("isn't opened under another name, or if any byte was changed", () => {
    const keks = createKeks(first);
    const { sealed, kekId } = keks.seal("r1", bytes);
    const fault =
      /^keyEncryptionKey can't decrypt the key "\w+": the key "\w+" isn't the one that encrypted it, or the database/;
    expect(faultOf(() => keks.open("r2", sealed, kekId))).toMatch(fault);
    for (let at = 0; at < sealed.length; at++) {
      const changed = Uint8Array.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(faultOf(() => keks.open("r1", changed, kekId))).toMatch(fault);
    }
    for (const length of [0, 11, 12, 27, 28, sealed.length - 1]) {
      expect(faultOf(() => keks.open("r1", sealed.subarray(0, length), kekId))).toMatch(fault);
    }
    const other = createKeks(`${kekId}:${second}`);
    expect(faultOf(() => other.open("r1", sealed, kekId))).toMatch(fault);
  });

  it("whose key is missing says which one", () => {
    const { sealed } = createKeks(`old:${first}`).seal("abc", bytes);
    expect(faultOf(() => createKeks(`new:${second}`).open("abc", sealed, "old"))).toBe(
      'keyEncryptionKey lacks the key "old", which encrypts the key "abc". Add it to the list, as "old:…".',
    );
  });
});

describe("several key encryption keys", () => {
  it("open what each has sealed, and the first one seals", () => {
    const { sealed, kekId } = createKeks(`old:${first}`).seal("r1", bytes);
    const keks = createKeks(`new:${second}, old:${first}`);
    expect(keks).toMatchObject({ id: "new", ids: ["new", "old"] });
    expect(keks.open("r1", sealed, kekId)).toEqual(bytes);
    expect(keks.seal("r1", bytes).kekId).toBe("new");
  });

  it("may have the fingerprint of a key that had no id", () => {
    const { sealed, kekId } = createKeks(first).seal("r1", bytes);
    expect(kekId).toMatch(/^[0-9a-f]{8}$/);
    expect(createKeks(`new:${second},${kekId}:${first}`).open("r1", sealed, kekId)).toEqual(bytes);
    expect(createKeks(`${second},${first}`).open("r1", sealed, kekId)).toEqual(bytes);
  });
});

describe("the setting keyEncryptionKey", () => {
  it.each([
    ["nothing", ""],
    ["a short key", first.slice(1)],
    ["a long key", `${first}AA`],
    ["unused bits", `${counted.slice(0, -1)}9`],
    ["a passphrase", "correct horse battery staple, and so on, 43"],
    ["an empty item", `${first},`],
    ["an empty id", `:${first}`],
    ["an id with a space", `a b:${first}`],
    ["a long id", `${"a".repeat(33)}:${first}`],
  ])("is refused with %s", (_, setting) => {
    expect(faultOf(() => createKeks(setting))).toMatch(/^keyEncryptionKey must be 32 random bytes in base64url/);
  });

  it("is refused with one id twice, and with a key that isn't random", () => {
    expect(faultOf(() => createKeks(`a:${first},a:${second}`))).toMatch(/must have different ids/);
    expect(faultOf(() => createKeks(`${first},${first}`))).toMatch(/must have different ids/);
    expect(faultOf(() => createKeks("A".repeat(43)))).toMatch(/a key that isn't random/);
  });

  it("isn't shown by errors or when printed", () => {
    const keks = createKeks(`a:${first}`);
    const shown = inspect(keks, { depth: 9, showHidden: true }) + JSON.stringify(keks);
    expect(shown).not.toContain(first);
    expect(shown).not.toContain(Buffer.from(first, "base64url").toString("hex").slice(0, 16));
    expect(faultOf(() => createKeks(`a:${first}A`))).not.toContain(first);
    expect(faultOf(() => createKeks(`a:${first},a:${second}`))).not.toContain(first);
  });
});
