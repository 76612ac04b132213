import { describe, expect, it } from "vitest";
import type { Auth } from "../../src/index.ts";
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

describe("what is open under an access token", () => {
  it("ends at once with a logout in the same process", async () => {
    const { auth, close } = await startNode();
    const { userId, session, signal } = await open(auth);
    expect(signal.aborted).toBe(false);
    await auth.logout({ sessionId: session.id, userId });
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ name: "AuthError", code: "token_revoked" });
    await close();
  });

  it.each<[string, (auth: Auth, of: { userId: string; tokenId: string; sessionId: string }) => Promise<unknown>]>([
    ["the token is revoked by itself", (auth, { tokenId }) => auth.revokeToken(tokenId)],
    ["the session is ended", (auth, { sessionId }) => auth.sessions.end(sessionId)],
    ["all of the user's sessions are", (auth, { userId }) => auth.sessions.endAllOf(userId)],
    ["all sessions are", (auth) => auth.sessions.endAll()],
    ["the user is disabled", (auth, { userId }) => auth.users.disable(userId)],
    ["the user is deleted", (auth, { userId }) => auth.users.delete(userId)],
  ])("ends at once where %s", async (_, end) => {
    const { auth, close } = await startNode();
    const { claims, signal } = await open(auth);
    await end(auth, claims);
    expect(signal.aborted).toBe(true);
    await close();
  });

  it("goes on while another session ends, and has one signal however often it is asked for", async () => {
    const { auth, close } = await startNode();
    const { userId, claims, signal } = await open(auth);
    const other = await auth.issue(userId);
    await auth.logout(other.refresh);
    expect(signal.aborted).toBe(false);
    expect(auth.signal(claims)).toBe(signal);
    await close();
    expect(signal.aborted).toBe(false);
  });

  it("ends with a logout on another node of the same file, within a second", async () => {
    const { nodes, close } = await startTwoNodes();
    const [here, there] = nodes;
    const { userId, session, signal } = await open(here);
    const startedAt = performance.now();
    await there.logout({ sessionId: session.id, userId });
    expect(await aborted(signal)).toMatchObject({ code: "token_revoked" });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    await close();
  });

  it("ends when the token expires", async () => {
    const { auth, close } = await startNode({ accessTokenLifetime: 1 });
    const { signal } = await open(auth);
    expect(await aborted(signal)).toMatchObject({ name: "AuthError", code: "token_expired" });
    await close();
  });
});
