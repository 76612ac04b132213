import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../../src/core/errors.ts";
import type { Store } from "../../../../src/core/store/index.ts";
import { eventsOf } from "../../../flows/flow.ts";
import { createTestAuth, type TestAuth, testStart as time, withSessions } from "../../../support/auth.ts";
import { addService, type TestService } from "../../../support/services.ts";

let auth: TestAuth;
let service: TestService;
let isDown = false;
/** How often a token was revoked, and until when. */
let revokedTokens: (number | undefined)[] = [];

function withSwitch(store: Store): Store {
  const requireUp = () => {
    if (isDown) throw new StoreUnavailableError("away");
  };
  const revokeToken: Store["feed"]["revokeToken"] = async (tokenId, options) => {
    requireUp();
    revokedTokens.push(options?.until);
    return store.feed.revokeToken(tokenId, options);
  };
  const decide: Store["sessions"]["decide"] = async (...args) => {
    requireUp();
    return store.sessions.decide(...args);
  };
  const wrapped = withSessions(store, () => ({ decide }));
  return { ...wrapped, feed: { ...store.feed, revokeToken } };
}

beforeEach(async () => {
  isDown = false;
  revokedTokens = [];
  auth = await createTestAuth({ wrapStore: withSwitch });
  service = await addService(auth, ["revoke"]);
});
afterEach(() => auth.close());

const revoke = (token: string) =>
  auth.send("POST", "/api/token/revoke/", {
    headers: { ...service.basic, "User-Agent": "billing/1" },
    body: { token },
  });

/** Expects the one answer of this endpoint. */
async function expectRevoked(response: Response): Promise<void> {
  expect([response.status, await response.text()]).toEqual([200, ""]);
  expect(response.headers.get("Revocation-Confirmed")).toBeNull();
}

const post = async (path: string, body: object) => {
  const response = await auth.send("POST", `/api/token/${path}/`, { body });
  return { status: response.status, body: (await response.json()) as { access: string; refresh: string } };
};
const isLive = async (token: string) => (await post("verify", { token })).status === 200;

const client = { ip: undefined, userAgent: "billing/1", actor: "service/billing" };

describe("revocation", () => {
  it("revokes one access token, and neither its session nor its other tokens", async () => {
    const { access, refresh } = await auth.logIn();
    const { tokenId, expiresAt } = auth.deps.tokens.verifyAccess(access);
    await expectRevoked(await revoke(access));
    expect([await isLive(access), await isLive(refresh)]).toEqual([false, true]);
    expect(revokedTokens).toEqual([expiresAt]);
    expect(eventsOf(auth, "token_revoked")).toEqual([{ type: "token_revoked", time, tokenId, client }]);
    expect(await isLive((await post("refresh", { refresh })).body.access)).toBe(true);
  });

  it("revokes the session of a refresh token, the current one or one that was spent long ago", async () => {
    for (const isSpent of [false, true]) {
      const { refresh } = await auth.logIn();
      const { userId, sessionId } = auth.deps.tokens.verifyRefresh(refresh);
      let last = (await post("refresh", { refresh })).body;
      auth.clock.advance(3_600);
      // Otherwise a token could be refused only because the moved clock has made the feed stale.
      await expect.poll(() => auth.deps.feed.whenFresh()).toBe(true);
      last = (await post("refresh", { refresh: last.refresh })).body;
      auth.events.length = 0;
      await expectRevoked(await revoke(isSpent ? refresh : last.refresh));
      expect([await isLive(last.access), await isLive(last.refresh)]).toEqual([false, false]);
      const event = { type: "sessions_revoked", userId, sessionId, sessions: 1, reason: "logout", client };
      expect(eventsOf(auth, "sessions_revoked")).toEqual([{ ...event, time: auth.clock.now() }]);
    }
  });

  it("writes the entry of the audit log with the change, with the service as the actor", async () => {
    const { refresh } = await auth.logIn();
    await revoke(refresh);
    const { entries } = await auth.store.audit.read({ after: null, limit: 1 });
    expect(entries).toMatchObject([{ type: "sessions_revoked", actor: "service/billing" }]);
  });

  it("answers 200 to tokens that are invalid, expired, or revoked already, and changes nothing", async () => {
    const { access, refresh } = await auth.logIn();
    const { tokens } = auth.deps;
    const bad = [
      "x",
      "x".repeat(9_000),
      access.replace(/.$/, (last) => (last === "A" ? "E" : "A")),
      tokens.mintAccess({ ...tokens.verifyAccess(access), globalEpoch: 0, claims: {}, expiresAt: time }),
      tokens.mintRefresh({ ...tokens.verifyRefresh(refresh), expiresAt: time }),
      tokens.mintRefresh({ ...tokens.verifyRefresh(refresh), userId: "nobody" }),
      tokens.mintRefresh({ ...tokens.verifyRefresh(refresh), sessionId: "nothing" }),
    ];
    auth.events.length = 0;
    for (const token of bad) await expectRevoked(await revoke(token));
    expect([auth.events, revokedTokens]).toEqual([[], []]);
    expect([await isLive(access), await isLive(refresh)]).toEqual([true, true]);

    for (const token of [access, access, refresh, refresh, access]) await expectRevoked(await revoke(token));
    expect(auth.events.map(({ type }) => type)).toEqual(["token_revoked", "sessions_revoked"]);
    expect(revokedTokens).toHaveLength(1);
  });

  it("revokes an access token even while this node's revocations are stale", async () => {
    const { access } = await auth.logIn();
    auth.clock.stall(60);
    await expectRevoked(await revoke(access));
    expect(revokedTokens).toHaveLength(1);
  });

  it("answers 503 while the store does not answer, and has then revoked nothing", async () => {
    const pair = await auth.logIn();
    isDown = true;
    for (const token of Object.values(pair)) {
      const response = await revoke(token);
      expect([response.status, response.headers.get("Retry-After")]).toEqual([503, "1"]);
    }
    expect([await isLive(pair.access), await isLive(pair.refresh)]).toEqual([true, true]);
    isDown = false;
    for (const token of Object.values(pair)) await expectRevoked(await revoke(token));
    expect([await isLive(pair.access), await isLive(pair.refresh)]).toEqual([false, false]);
  });

  it("accepts a form, and answers 400 invalid_request without a token", async () => {
    const { refresh } = await auth.logIn();
    const headers = { ...service.bearer, "Content-Type": "application/x-www-form-urlencoded" };
    const send = (body: string) => auth.send("POST", "/api/token/revoke", { headers, body });
    const refused = await send("token_type_hint=access_token");
    expect([refused.status, await refused.json()]).toEqual([400, { error: "invalid_request" }]);
    await expectRevoked(await send(`token=${refresh}&token_type_hint=access_token`));
    expect(await isLive(refresh)).toBe(false);
  });
});
