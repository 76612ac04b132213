import { describe, expect, it } from "vitest";
import { AuthError } from "../../src/core/errors.ts";

describe("an AuthError", () => {
  it("has a code to branch on and a reason for the logs", () => {
    const error = new AuthError("token_revoked", "rotated away");
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "AuthError", code: "token_revoked", reason: "rotated away" });
    expect(error.message).toBe("token_revoked: rotated away");
  });

  it("proves nothing of the session and has no cause unless told", () => {
    const error = new AuthError("unavailable", "the store does not answer");
    expect(error.sessionEnded).toBe(false);
    expect("cause" in error).toBe(false);
  });

  it("keeps the cause for the operator", () => {
    const cause = new TypeError("boom");
    expect(new AuthError("unavailable", "claims failed", { cause, sessionEnded: true })).toMatchObject({
      cause,
      sessionEnded: true,
    });
  });
});
