import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type SessionEnd, type WatchedClient, watchSession } from "../../src/client/watch-session.ts";
import { createTestAuth, type TestAuth } from "../support/auth.ts";

let auth: TestAuth;
beforeEach(async () => {
  auth = await createTestAuth();
});
afterEach(() => auth.close());

/** A client of a bearer session at the server, with a state as the real client's: a refused refresh makes it anonymous. */
async function createClient() {
  let { access, refresh } = await auth.logIn();
  const { sessionId } = auth.deps.tokens.verifyRefresh(refresh);
  const listeners = new Set<() => void>();
  const paths: string[] = [];
  let state = { status: "authenticated", user: { id: "1", username: "alice" }, sessionId } as ReturnType<
    WatchedClient["session"]
  >;
  const get = (path: string) => auth.send("GET", path, { headers: { Authorization: `Bearer ${access}` } });
  const client: WatchedClient = {
    session: () => state,
    onChange(listener) {
      const notify = () => listener(state);
      listeners.add(notify);
      return () => listeners.delete(notify);
    },
    async reload() {
      const { session } = (await (await get("/api/auth/me/")).json()) as { readonly session: { readonly id: string } };
      state = { ...state, sessionId: session.id } as typeof state;
      for (const notify of [...listeners]) notify();
      return state;
    },
    async fetch(input) {
      paths.push(String(input));
      const response = await get(String(input));
      if (response.status !== 401) return response;
      const refreshed = await auth.send("POST", "/api/token/refresh/", { body: { refresh } });
      if (refreshed.ok) {
        ({ access, refresh } = (await refreshed.json()) as { access: string; refresh: string });
        return get(String(input));
      }
      state = { status: "anonymous", reason: "revoked" };
      for (const notify of [...listeners]) notify();
      return response;
    },
  };
  /** Logs in as a form without the client does: the client's state doesn't change. */
  async function logInElsewhere(): Promise<string> {
    ({ access, refresh } = await auth.logIn());
    return auth.deps.tokens.verifyRefresh(refresh).sessionId;
  }
  const tokenId = () => auth.deps.tokens.verifyAccess(access).tokenId;
  return { client, paths, sessionId, tokenId, logInElsewhere };
}

/** `vi.waitFor` moves them. */
function useFakeTimers(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
}

const isOpen = () => vi.waitFor(() => expect(auth.deps.sessionStreams.size).toBe(1), 30_000);

describe("watchSession", () => {
  it("tells why the session was revoked, before the listeners that were added later", async () => {
    const { client, sessionId } = await createClient();
    const seen: unknown[] = [];
    watchSession(client, { onEnd: (end) => seen.push(end) });
    client.onChange(({ status }) => seen.push(status));
    await isOpen();
    await auth.deps.flows.revokeSession(sessionId, {});
    await vi.waitFor(() => expect(seen).toHaveLength(2), 30_000);
    expect(seen).toEqual([{ code: "token_revoked", reason: "revoked" } satisfies SessionEnd, "anonymous"]);
    expect(auth.deps.sessionStreams.size).toBe(0);
  });

  it("doesn't say that the session ended if only its access token was revoked", async () => {
    const { client, paths, tokenId } = await createClient();
    const ends: SessionEnd[] = [];
    useFakeTimers();
    const stop = watchSession(client, { onEnd: (end) => ends.push(end) });
    await isOpen();
    await auth.deps.flows.revokeToken(tokenId());
    // It connects again.
    await vi.waitFor(() => expect(paths.filter((path) => path.includes("events")).length).toBe(2), 30_000);
    await isOpen();
    expect(ends).toEqual([]);
    expect(client.session().status).toBe("authenticated");
    stop();
  });

  it("lets the client read its state again if the stream is of another session", async () => {
    const { client, paths, sessionId, logInElsewhere } = await createClient();
    const other = await logInElsewhere();
    const stop = watchSession(client);
    await vi.waitFor(() => expect(client.session().sessionId).toBe(other), 30_000);
    expect(other).not.toBe(sessionId);
    // It follows the other session from now on, and asks for nothing more.
    await vi.waitFor(() => expect(paths).toEqual(Array(2).fill("/api/auth/session/events/")), 30_000);
    stop();
  });

  it("asks once at a server that has no such streams", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: { maxSessionStreams: 0 } });
    const { client, paths } = await createClient();
    useFakeTimers();
    watchSession(client, { authPath: "/api/auth" });
    await vi.waitFor(() => expect(paths).toEqual(["/api/auth/session/events/"]), 30_000);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(paths).toHaveLength(1);
  });
});
