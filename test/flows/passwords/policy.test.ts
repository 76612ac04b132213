import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { toCommonPasswordsModule } from "../../../scripts/common-passwords.ts";
import { commonPasswords } from "../../../src/flows/passwords/common-passwords.ts";
import { findPasswordFault, maxPasswordLength } from "../../../src/flows/passwords/policy.ts";

const find = (password: string, { username = "alice", minPasswordLength = 8 } = {}) =>
  findPasswordFault({ minPasswordLength }, password, username);

it.each([
  ["lower-case letters only", "all lower case"],
  ["digits only", "8301746529"],
  ["exactly as many characters as the setting requires", "kwjf xzq"],
  ["exactly as many characters outside the basic plane", "😀🐎🔋📎🌍🧭🪐🎈"],
  ["a common password inside a longer one", "password of the third kind"],
  ["256 characters", "ab".repeat(128)],
  ["the greatest allowed number of characters", "🐎".repeat(maxPasswordLength)],
])("accepts %s as a new password", async (_, password) => {
  expect(await find(password)).toBeNull();
});

it.each([
  ["one character too few", "kwjf xz", /too short.*at least 8 characters/],
  ["7 characters of 28 bytes", "😀".repeat(7), /too short/],
  ["7 characters that are 14 code points before they are normalized", "e\u0301".repeat(7), /too short/],
  ["one character too many", "x".repeat(maxPasswordLength + 1), /too long.*at most 1024 characters/],
  ["only white space", " ".repeat(8), /blank/],
  ["half of a surrogate pair", "analytical \ud83d engine", /half a character/],
  ["a common password", "baseball", /too common.*Choose another/],
  ["a common password in another case", "BaseBall", /too common/],
  ["a common password in full-width characters", "\uff42\uff41\uff53\uff45\uff42\uff41\uff4c\uff4c", /too common/],
  ["a common password between spaces", " baseball ", /too common/],
  ["a password that contains the username", "in wonderland: Alice", /contains the username.*Choose/],
  ["a password that contains the username in full-width characters", "in \uff21lice's hand", /contains the username/],
])("refuses %s as a new password", async (_, password, reason) => {
  expect(await find(password)).toMatch(reason);
});

it("accepts a password that contains a username of one or two letters, and refuses one that contains three", async () => {
  expect(await find("a bunch of grapes", { username: "a" })).toBeNull();
  expect(await find("a bunch of grapes", { username: "of" })).toBeNull();
  expect(await find("a bunch of grapes", { username: "GRA" })).toMatch("contains the username");
});

it("requires as many characters as minPasswordLength, and names the number in its sentence", async () => {
  expect(await find("fourteen chars", { minPasswordLength: 15 })).toMatch("at least 15 characters");
  expect(await find("fifteen  chars!", { minPasswordLength: 15 })).toBeNull();
});

it("ships the list of common passwords that its script makes, complete and folded", () => {
  const shipped = readFileSync(
    new URL("../../../src/flows/passwords/common-passwords-data.ts", import.meta.url),
    "utf8",
  );
  expect(shipped).toBe(toCommonPasswordsModule());
  expect(commonPasswords.size).toBeGreaterThan(10_000);
  const words = [...commonPasswords];
  expect(words).toEqual(words.toSorted());
  expect(words.filter((word) => word.length < 8 || word !== word.toLowerCase())).toEqual([]);
  expect(["password", "qwertyuiop", "1q2w3e4r", "iloveyou"].filter((word) => !commonPasswords.has(word))).toEqual([]);
});
