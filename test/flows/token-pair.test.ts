import { afterEach, describe, expect, it } from "vitest";
import { authenticate } from "../../src/flows/authenticate.ts";
import { login } from "../../src/flows/login.ts";
import { refresh } from "../../src/flows/refresh/refresh.ts";
import { alice, createTestAuth, type TestAuth } from "../support/auth.ts";

let auth: TestAuth;
afterEach(() => auth.close());

describe("a pair", () => {
  it("is in force at once, although the database's clock is ahead of this node's", async () => {
    auth = await createTestAuth({ storeAhead: 5 });
    const { pair } = await login(auth.deps, alice);
    expect(await authenticate(auth.deps, pair.access)).toMatchObject({ userId: auth.user.id });
    const { pair: next, outcome } = await refresh(auth.deps, pair.refresh);
    expect(outcome).toBe("rotated");
    expect(await authenticate(auth.deps, next.access)).toMatchObject({ userId: auth.user.id });
    expect((await refresh(auth.deps, next.refresh ?? "")).outcome).toBe("rotated");
  });

  it("lives no longer for it", async () => {
    auth = await createTestAuth({ storeAhead: -5 });
    const { pair } = await login(auth.deps, alice);
    auth.clock.advance(auth.deps.settings.accessTokenLifetime - 5);
    await expect(authenticate(auth.deps, pair.access)).rejects.toMatchObject({ code: "token_expired" });
  });
});
