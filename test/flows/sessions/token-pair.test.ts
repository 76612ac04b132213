import { afterEach, describe, expect, it } from "vitest";
import { login } from "../../../src/flows/login.ts";
import { refresh } from "../../../src/flows/refresh/refresh.ts";
import { authenticate } from "../../../src/flows/tokens/authenticate.ts";
import { alice, createTestAuth, type TestAuth } from "../../support/auth.ts";

let auth: TestAuth;
afterEach(() => auth.close());

describe("mintPair", () => {
  it("mints tokens that are valid at once although the database's clock is ahead of the node's", async () => {
    auth = await createTestAuth({ storeAhead: 5 });
    const { pair } = await login(auth.deps, alice);
    expect(await authenticate(auth.deps, pair.access)).toMatchObject({ userId: auth.user.id });
    const { pair: next, outcome } = await refresh(auth.deps, pair.refresh);
    expect(outcome).toBe("rotated");
    expect(await authenticate(auth.deps, next.access)).toMatchObject({ userId: auth.user.id });
    expect((await refresh(auth.deps, next.refresh ?? "")).outcome).toBe("rotated");
  });

  it("mints access tokens that expire by the database's clock although it is behind the node's", async () => {
    auth = await createTestAuth({ storeAhead: -5 });
    const { pair } = await login(auth.deps, alice);
    auth.clock.advance(auth.deps.settings.accessTokenLifetime - 5);
    expect(() => authenticate(auth.deps, pair.access)).toThrow(/^token_expired/);
  });
});
