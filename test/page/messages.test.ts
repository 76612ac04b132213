import { describe, expect, it } from "vitest";
import { ClientError } from "../../src/client/index.ts";
import { logoutMessages, toLogoutMessage, toMessage, toProblem } from "../../src/page/messages.ts";

describe("the message for an error", () => {
  it("says what to do if the browser keeps no cookies", () => {
    const error = new ClientError("cookies_blocked", "x");
    expect(toMessage(error)).toMatch(/does not keep this site's cookies.*Allow cookies.*https/);
    expect(toProblem(error)).toBe("cookies_blocked");
  });

  it("says that nothing was changed if another login has replaced the session", () => {
    expect(toMessage(new ClientError("session_changed", "x"))).toMatch(/Nothing was changed/);
  });
});

describe("the message about a logout", () => {
  it("has the reason that the server gave on the stream", () => {
    expect(toLogoutMessage("revoked", "reuse")).toMatch(/an old token of this session was used again/);
    expect(toLogoutMessage("revoked", "user_disabled")).toMatch(/your account was disabled/);
  });

  it("has the client's own reason if the server gave none, an unknown one, or one of an earlier session", () => {
    for (const end of [undefined, null, "revoked", "constructor"]) {
      expect(toLogoutMessage("revoked", end)).toBe(logoutMessages.revoked);
    }
    expect(toLogoutMessage("logged_out", "reuse")).toBe(logoutMessages.logged_out);
  });
});
