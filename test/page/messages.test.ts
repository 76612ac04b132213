import { describe, expect, it } from "vitest";
import { ClientError } from "../../src/client/index.ts";
import { toMessage, toProblem } from "../../src/page/messages.ts";

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
