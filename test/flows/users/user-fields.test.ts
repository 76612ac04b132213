import { describe, expect, it } from "vitest";
import { AuthError } from "../../../src/core/errors.ts";
import { findUsernameFault, requireEmail, requireUsername } from "../../../src/flows/users/user-fields.ts";

const thrownBy = (check: () => void): unknown => {
  try {
    check();
  } catch (error) {
    return error;
  }
  return null;
};

describe("requireUsername", () => {
  it.each(["a", "a".repeat(150), ` ${"a".repeat(150)} `, "ädä.lövelace@example.com"])("accepts %j", (username) => {
    expect(() => requireUsername(username)).not.toThrow();
    expect(findUsernameFault(username)).toBeNull();
  });

  it.each([
    ["", "A username may not be blank."],
    [" \t", "A username may not be blank."],
    ["a".repeat(151), "A username has at most 150 characters."],
    ["a\0b", "A username has no control characters."],
    ["a\nb", "A username has no control characters."],
    ["a\u0085b", "A username has no control characters."],
    ["a\ud800b", "A username has no control characters."],
    ...[
      ..."\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u061c\u180e\u200e\u200f\u202a\u202e\u2066\u2069\u115f\u3164\ufe0f\u2028\u{e0041}",
    ].map((character) => [`ali${character}ce`, "A username has no invisible characters, such as a zero-width space."]),
  ])("refuses %j as a username with a sentence for the user", (username, reason) => {
    const error = thrownBy(() => requireUsername(username));
    expect(error).toBeInstanceOf(AuthError);
    expect(error).toMatchObject({ code: "username_invalid", reason });
  });
});

describe("requireEmail", () => {
  it.each(["a@b", "first.last+tag@example.com", '"a@b"@example.com', `${"b".repeat(248)}@x.org`])(
    "accepts %j as an email address",
    (email) => {
      expect(() => requireEmail(email)).not.toThrow();
    },
  );

  it.each([
    "notanemail",
    "@example.com",
    "bob@",
    "bob smith@example.com",
    "bob@exam\u0000ple",
    "bob@example.com\r\nBcc: eve@example.com",
    "",
  ])("refuses %j as an email address with a sentence for the user", (email) => {
    const reason = "An email address has an @ between two parts, and no spaces.";
    expect(thrownBy(() => requireEmail(email))).toMatchObject({ name: "AuthError", code: "email_invalid", reason });
  });

  it("refuses an email address of 255 characters", () => {
    const reason = "An email address has at most 254 characters.";
    const email = `${"b".repeat(249)}@x.org`;
    expect(thrownBy(() => requireEmail(email))).toMatchObject({ code: "email_invalid", reason });
  });
});
