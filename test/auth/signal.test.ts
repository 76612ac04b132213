import { describe, expect, it, vi } from "vitest";
import type { Auth } from "../../src/index.ts";
import { getInternals } from "../../src/internals.ts";
import { addUser, bearer, startNode, startTwoNodes } from "./node.ts";

/** Fulfils with the reason once the signal has aborted. */
const aborted = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    signal.addEventListener("abort", () => resolve(signal.reason), { once: true });
  });

async function open(auth: Auth) {
  const userId = await addUser(auth);
  const { access, session } = await auth.issue(userId);
  const claims = await auth.authenticate(bearer(access));
  return { userId, claims, session, signal: auth.signal(claims) };
}

describe("the signal of an access token", () => {
  it("aborts at once after a logout in the same process", async () => {
    const { auth, close } = await startNode();
    const { userId, session, signal } = await open(auth);
    expect(signal.aborted).toBe(false);
    await auth.logout({ sessionId: session.id, userId });
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ name: "AuthError", code: "token_revoked" });
    await close();
  });

  it.each<[string, (auth: Auth, of: { userId: string; tokenId: string; sessionId: string }) => Promise<unknown>]>([
    ["the token", (auth, { tokenId }) => auth.revokeToken(tokenId)],
    ["its session", (auth, { sessionId }) => auth.sessions.revoke(sessionId)],
    ["all of the user's sessions", (auth, { userId }) => auth.sessions.revokeAllForUser(userId)],
    ["all sessions", (auth) => auth.sessions.revokeAll()],
    ["a user who was disabled", (auth, { userId }) => auth.users.disable(userId)],
    ["a user who was deleted", (auth, { userId }) => auth.users.delete(userId)],
  ])("aborts at once after the revocation of %s", async (_, revoke) => {
    const { auth, close } = await startNode();
    const { claims, signal } = await open(auth);
    await revoke(auth, claims);
    expect(signal.aborted).toBe(true);
    await close();
  });

  it("stays the same however often it is requested, and does not abort when another session is revoked", async () => {
    const { auth, close } = await startNode();
    const { userId, claims, signal } = await open(auth);
    const other = await auth.issue(userId);
    await auth.logout(other.refresh);
    expect(signal.aborted).toBe(false);
    expect(auth.signal(claims)).toBe(signal);
    await close();
    expect(signal.aborted).toBe(false);
  });

  it("aborts after a logout on another node over the same file, long before the token expires", async () => {
    const { nodes, close } = await startTwoNodes();
    const [here, there] = nodes;
    const { userId, session, signal } = await open(here);
    await there.logout({ sessionId: session.id, userId });
    expect(await aborted(signal)).toMatchObject({ code: "token_revoked" });
    await close();
  });

  it("aborts when the token expires", async () => {
    const { auth, close } = await startNode({ accessTokenLifetime: 1 });
    // The second that the token is valid for must not end before it is used.
    vi.useFakeTimers({ toFake: ["Date"] });
    const { signal } = await open(auth).finally(() => vi.useRealTimers());
    expect(await aborted(signal)).toMatchObject({ name: "AuthError", code: "token_expired" });
    await close();
  });

  it("is forgotten when the connection that it was requested for has closed", async () => {
    const { auth, close } = await startNode();
    const { access } = await auth.issue(await addUser(auth));
    const claims = await auth.authenticate(bearer(access));
    const connection = new AbortController();
    auth.signal(claims, { until: "session", signal: connection.signal });
    expect(getInternals(auth).signals.size).toBe(3);
    connection.abort();
    expect(getInternals(auth).signals.size).toBe(0);
    await close();
  });

  it("also aborts with the signal that it was combined with, which leaves other signals of the token alone", async () => {
    const { auth, close } = await startNode();
    const { claims, signal } = await open(auth);
    const connection = new AbortController();
    const combined = auth.signal(claims, { signal: connection.signal });
    const other = auth.signal(claims, { signal: new AbortController().signal });
    connection.abort(new Error("the client is gone"));
    expect([combined.aborted, signal.aborted, other.aborted]).toEqual([true, false, false]);
    expect(combined.reason).toEqual(new Error("the client is gone"));
    await auth.revokeToken(claims.tokenId);
    expect([signal.reason, other.reason]).toMatchObject([{ code: "token_revoked" }, { code: "token_revoked" }]);
    await close();
  });
});
