import { describe, expect, it } from "vitest";
import { AuthError, isRefusal, StoreUnavailableError, toErrorCode } from "../../src/core/errors.ts";

describe("AuthError", () => {
  it("has a code to branch on, a reason for the logs, and both in its message", () => {
    const error = new AuthError("token_revoked", "rotated away");
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "AuthError", code: "token_revoked", reason: "rotated away" });
    expect(error.message).toBe("token_revoked: rotated away");
  });

  it("has no cause and does not prove the session to be over by default", () => {
    const error = new AuthError("unavailable", "the store does not answer");
    expect(error.sessionEnded).toBe(false);
    expect("cause" in error).toBe(false);
  });

  it("keeps the cause and whether the session is over", () => {
    const cause = new TypeError("boom");
    expect(new AuthError("unavailable", "claims failed", { cause, sessionEnded: true })).toMatchObject({
      cause,
      sessionEnded: true,
    });
  });
});

describe("isRefusal", () => {
  it("is true of an AuthError with any code but unavailable, and of no other error", () => {
    expect(isRefusal(new AuthError("token_expired", "expired"))).toBe(true);
    expect(isRefusal(new AuthError("unavailable", "the store does not answer"))).toBe(false);
    expect(isRefusal(new StoreUnavailableError("locked"))).toBe(false);
    expect(isRefusal("token_expired")).toBe(false);
  });
});

describe("toErrorCode", () => {
  it("returns the code of a system error, and undefined without a code that is a string", () => {
    expect(toErrorCode(Object.assign(new Error("no such file"), { code: "ENOENT" }))).toBe("ENOENT");
    expect(toErrorCode(new DOMException("aborted", "AbortError"))).toBeUndefined();
    expect(toErrorCode(new Error("plain"))).toBeUndefined();
    expect(toErrorCode({ code: "ENOENT" })).toBeUndefined();
  });
});
