import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { authenticate } from "../../src/flows/authenticate.ts";
import { type Issued, issue } from "../../src/flows/issue.ts";
import { refresh } from "../../src/flows/refresh/refresh.ts";
import {
  endSession,
  findSession,
  labelSession,
  listSessions,
  revokeAllSessions,
  revokeSessionsForUser,
  revokeToken,
} from "../../src/flows/sessions.ts";
import { createUser } from "../../src/flows/users.ts";
import { createTestAuth, type TestAuth, testStart } from "../support/auth.ts";
import { expectRefused, logIn } from "./flow.ts";

let auth: TestAuth;
let ofAlice: Issued;
let ofBob: Issued;

beforeEach(async () => {
  auth = await createTestAuth();
  const bob = await createUser(auth.deps, { username: "bob" });
  if (bob === null) throw new Error("bob exists");
  ofAlice = await logIn(auth, { client: { ip: "192.0.2.7", userAgent: "Firefox" } });
  auth.clock.advance(60);
  ofBob = await issue(auth.deps, { user: bob, epoch: 0 });
  auth.events.length = 0;
});
afterEach(() => auth.close());

const accepted = () =>
  Promise.all(
    [ofAlice, ofBob].map(({ pair }) =>
      authenticate(auth.deps, pair.access).then(
        () => true,
        () => false,
      ),
    ),
  );

describe("the list of sessions", () => {
  it("is a user's own, or everybody's, newest first", async () => {
    const [a, b] = [ofAlice.session.id, ofBob.session.id];
    expect((await listSessions(auth.deps, auth.user.id)).map(({ id }) => id)).toEqual([a]);
    expect((await listSessions(auth.deps)).map(({ id }) => id)).toEqual([b, a]);
  });

  it("says where and when, and holds no hash", async () => {
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
      },
    ]);
  });

  it("has no session that has ended or expired", async () => {
    await endSession(auth.deps, ofBob.session.id);
    expect(await listSessions(auth.deps)).toHaveLength(1);
    auth.clock.advance(2_592_000);
    expect(await listSessions(auth.deps)).toEqual([]);
  });
});

describe("a session", () => {
  it("is found until it has ended", async () => {
    const { id } = ofAlice.session;
    expect(await findSession(auth.deps, id)).toMatchObject({ id, userId: auth.user.id });
    await endSession(auth.deps, id);
    await expectRefused(findSession(auth.deps, id), "session_not_found");
    await expectRefused(findSession(auth.deps, "nothing"), "session_not_found");
  });

  it("is named by its owner, and the name taken away again", async () => {
    const owner = { sessionId: ofAlice.session.id, userId: auth.user.id };
    expect(await labelSession(auth.deps, owner, "kitchen")).toMatchObject({ label: "kitchen" });
    expect((await findSession(auth.deps, owner.sessionId)).label).toBe("kitchen");
    expect((await labelSession(auth.deps, owner, null)).label).toBeNull();
  });

  it("is named by nobody else, and not once it has ended", async () => {
    const { id: sessionId, userId } = ofAlice.session;
    const asBob = { sessionId, userId: ofBob.user.id };
    await expectRefused(labelSession(auth.deps, asBob, "mine"), "session_not_found");
    await endSession(auth.deps, sessionId);
    await expectRefused(labelSession(auth.deps, { sessionId, userId }, "late"), "session_not_found");
  });
});

describe("the end of a session", () => {
  it("by its owner is reported with both", async () => {
    const { id: sessionId, userId } = ofAlice.session;
    await endSession(auth.deps, sessionId, { userId });
    expect(await accepted()).toEqual([false, true]);
    expect(auth.events).toMatchObject([{ type: "sessions_revoked", sessionId, userId, reason: "revoked" }]);
  });

  it("by another user is no end, as that session is not there to be found", async () => {
    await expectRefused(endSession(auth.deps, ofAlice.session.id, { userId: ofBob.user.id }), "session_not_found");
    expect(await accepted()).toEqual([true, true]);
    expect(auth.events).toEqual([]);
  });

  it("comes once", async () => {
    await endSession(auth.deps, ofAlice.session.id);
    await expectRefused(endSession(auth.deps, ofAlice.session.id), "session_not_found");
    expect(auth.events).toHaveLength(1);
  });
});

describe("the end of all sessions", () => {
  it("of a user leaves everybody else's", async () => {
    expect(await revokeSessionsForUser(auth.deps, auth.user.id)).toMatchObject({ sessions: 1 });
    expect(await accepted()).toEqual([false, true]);
    expect(auth.events).toMatchObject([{ type: "sessions_revoked", userId: auth.user.id, reason: "revoked" }]);
    await expectRefused(refresh(auth.deps, ofAlice.pair.refresh), "token_revoked", { sessionEnded: true });
  });

  it("there are ends them all, and cuts off what was issued until now", async () => {
    expect(await revokeAllSessions(auth.deps)).toMatchObject({ sessions: 2 });
    expect(await accepted()).toEqual([false, false]);
    expect(auth.events).toMatchObject([{ type: "sessions_revoked", reason: "revoked" }]);
    auth.clock.advance(1);
    const again = await logIn(auth);
    expect(await authenticate(auth.deps, again.pair.access)).toMatchObject({ sessionId: again.session.id });
  });
});

describe("the end of one access token", () => {
  it("leaves its session and its other tokens", async () => {
    const { tokenId } = await authenticate(auth.deps, ofAlice.pair.access);
    await revokeToken(auth.deps, tokenId);
    await expectRefused(authenticate(auth.deps, ofAlice.pair.access), "token_revoked");
    const { pair } = await refresh(auth.deps, ofAlice.pair.refresh);
    expect(await authenticate(auth.deps, pair.access)).toMatchObject({ sessionId: ofAlice.session.id });
  });
});
