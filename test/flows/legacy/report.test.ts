import { afterEach, describe, expect, it } from "vitest";
import { reportLegacyKey } from "../../../src/flows/legacy/report.ts";
import { createTestAuth, type TestAuth, testStart } from "../../support/auth.ts";
import { createMovingAuth } from "../../support/simplejwt.ts";

let auth: TestAuth;
afterEach(() => auth.close());

describe("the start with simplejwt's key", () => {
  it("says until when it is used, and how many tokens are known to be revoked", async () => {
    auth = await createMovingAuth();
    auth.events.length = 0;
    const until = testStart + 20 * 86_400;
    await reportLegacyKey(auth.deps);
    await auth.store.legacy.revoke([{ tokenId: "a", expiresAt: until }], "revoked");
    await reportLegacyKey(auth.deps);
    const event = { type: "legacy_key", time: testStart, state: "accepted", until };
    expect(auth.events).toEqual([
      { ...event, revokedTokens: 0 },
      { ...event, revokedTokens: 1 },
    ]);
  });

  it("says that it is ignored when the time is over", async () => {
    auth = await createMovingAuth({ settings: { legacyRefreshUntil: "2025-12-31" } });
    auth.events.length = 0;
    await reportLegacyKey(auth.deps);
    expect(auth.events).toMatchObject([{ type: "legacy_key", state: "ignored", until: testStart - 86_400 }]);
  });

  it("says nothing without it", async () => {
    auth = await createTestAuth();
    auth.events.length = 0;
    await reportLegacyKey(auth.deps);
    expect(auth.events).toEqual([]);
  });
});
