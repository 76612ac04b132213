import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { refresh } from "../../../src/flows/refresh/refresh.ts";
import { type Issued, issue } from "../../../src/flows/sessions/issue.ts";
import {
  findSession,
  labelSession,
  listSessions,
  revokeAllSessions,
  revokeSession,
  revokeSessionsForUser,
  revokeToken,
} from "../../../src/flows/sessions/sessions.ts";
import { authenticate } from "../../../src/flows/tokens/authenticate.ts";
import { createUser } from "../../../src/flows/users/users.ts";
import { createTestAuth, type TestAuth, testStart } from "../../support/auth.ts";
import { expectRefused, logIn } from "../flow.ts";

let auth: TestAuth;
let ofAlice: Issued;
let ofBob: Issued;

beforeEach(async () => {
  // The clock moves by more than maxStaleness.
  auth = await createTestAuth({ settings: { maxStaleness: 3_600 } });
  const bob = await createUser(auth.deps, { username: "bob" });
  ofAlice = await logIn(auth, { client: { ip: "192.0.2.7", userAgent: "Firefox" } });
  auth.clock.advance(60);
  ofBob = await issue(auth.deps, bob.id);
  auth.events.length = 0;
});
afterEach(() => auth.close());

const check = async ({ pair }: Issued) => authenticate(auth.deps, pair.access);

/** Returns whether alice's access token is accepted, and whether bob's is. */
const accepted = () =>
  Promise.all(
    [ofAlice, ofBob].map((issued) =>
      check(issued).then(
        () => true,
        () => false,
      ),
    ),
  );

describe("listSessions", () => {
  it("returns one user's sessions, or all users' sessions, newest first", async () => {
    const [a, b] = [ofAlice.session.id, ofBob.session.id];
    expect((await listSessions(auth.deps, auth.user.id)).map(({ id }) => id)).toEqual([a]);
    expect((await listSessions(auth.deps)).map(({ id }) => id)).toEqual([b, a]);
  });

  it("returns what a user may see of a session, and no hash", async () => {
    expect(await listSessions(auth.deps, auth.user.id)).toEqual([
      {
        id: ofAlice.session.id,
        userId: auth.user.id,
        createdAt: testStart,
        lastUsedAt: testStart,
        expiresAt: testStart + 2_592_000,
        userAgent: "Firefox",
        ip: "192.0.2.7",
        label: null,
        authenticatedAt: testStart,
        amr: ["pwd"],
        actor: null,
        persistent: true,
      },
    ]);
  });

  it("returns no session that was revoked or has expired", async () => {
    await revokeSession(auth.deps, ofBob.session.id);
    expect(await listSessions(auth.deps)).toHaveLength(1);
    auth.clock.advance(2_592_000);
    expect(await listSessions(auth.deps)).toEqual([]);
  });
});

describe("findSession", () => {
  it("returns a session until it is revoked", async () => {
    const { id } = ofAlice.session;
    expect(await findSession(auth.deps, id)).toMatchObject({ id, userId: auth.user.id });
    await revokeSession(auth.deps, id);
    await expectRefused(findSession(auth.deps, id), "session_not_found");
    await expectRefused(findSession(auth.deps, "nothing"), "session_not_found");
  });
});

describe("labelSession", () => {
  it("sets and removes the label of the user's own session", async () => {
    const owner = { sessionId: ofAlice.session.id, userId: auth.user.id };
    expect(await labelSession(auth.deps, owner, "kitchen")).toMatchObject({ label: "kitchen" });
    expect((await findSession(auth.deps, owner.sessionId)).label).toBe("kitchen");
    expect((await labelSession(auth.deps, owner, null)).label).toBeNull();
  });

  it("refuses another user's session and a revoked one", async () => {
    const { id: sessionId, userId } = ofAlice.session;
    const asBob = { sessionId, userId: ofBob.user.id };
    await expectRefused(labelSession(auth.deps, asBob, "mine"), "session_not_found");
    await revokeSession(auth.deps, sessionId);
    await expectRefused(labelSession(auth.deps, { sessionId, userId }, "late"), "session_not_found");
  });
});

describe("revokeSession", () => {
  it("revokes the user's own session and emits sessions_revoked with user and session", async () => {
    const { id: sessionId, userId } = ofAlice.session;
    await revokeSession(auth.deps, sessionId, { userId });
    expect(await accepted()).toEqual([false, true]);
    expect(auth.events).toMatchObject([{ type: "sessions_revoked", sessionId, userId, reason: "revoked" }]);
  });

  it("answers session_not_found for another user's session, and revokes nothing", async () => {
    await expectRefused(revokeSession(auth.deps, ofAlice.session.id, { userId: ofBob.user.id }), "session_not_found");
    expect(await accepted()).toEqual([true, true]);
    expect(auth.events).toEqual([]);
  });

  it("answers session_not_found for a session that is revoked already, and emits one event", async () => {
    await revokeSession(auth.deps, ofAlice.session.id);
    await expectRefused(revokeSession(auth.deps, ofAlice.session.id), "session_not_found");
    expect(auth.events).toHaveLength(1);
  });
});

describe("revokeSessionsForUser", () => {
  it("revokes every session of the user and none of another user", async () => {
    expect(await revokeSessionsForUser(auth.deps, auth.user.id)).toMatchObject({ sessions: 1 });
    expect(await accepted()).toEqual([false, true]);
    expect(auth.events).toMatchObject([{ type: "sessions_revoked", userId: auth.user.id, reason: "revoked" }]);
    await expectRefused(refresh(auth.deps, ofAlice.pair.refresh), "token_revoked", { sessionEnded: true });
  });
});

describe("revokeAllSessions", () => {
  it("revokes every session and every access token issued until now", async () => {
    expect(await revokeAllSessions(auth.deps)).toMatchObject({ sessions: 2 });
    expect(await accepted()).toEqual([false, false]);
    expect(auth.events).toMatchObject([{ type: "sessions_revoked", reason: "revoked" }]);
    auth.clock.advance(1);
    const again = await logIn(auth);
    expect(await authenticate(auth.deps, again.pair.access)).toMatchObject({ sessionId: again.session.id });
  });
});

describe("revokeToken", () => {
  it("revokes one access token, and leaves its session and the session's other tokens", async () => {
    const { tokenId } = await authenticate(auth.deps, ofAlice.pair.access);
    await revokeToken(auth.deps, tokenId);
    await expectRefused(check(ofAlice), "token_revoked");
    const { pair } = await refresh(auth.deps, ofAlice.pair.refresh);
    expect(await authenticate(auth.deps, pair.access)).toMatchObject({ sessionId: ofAlice.session.id });
  });
});
