import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { authenticate } from "../../src/flows/authenticate.ts";
import { type Issued, issue } from "../../src/flows/issue.ts";
import { logout, logoutByRefreshToken } from "../../src/flows/logout.ts";
import { refresh } from "../../src/flows/refresh/refresh.ts";
import { createUser } from "../../src/flows/users.ts";
import { createTestAuth, type TestAuth } from "../support/auth.ts";
import { eventsOf, expectRefused, logIn, rowOf } from "./flow.ts";

let auth: TestAuth;
let first: Issued;
let second: Issued;

beforeEach(async () => {
  auth = await createTestAuth();
  [first, second] = [await logIn(auth), await logIn(auth)];
  auth.events.length = 0;
});
afterEach(() => auth.close());

const ownerOf = ({ session }: Issued) => ({ sessionId: session.id, userId: session.userId });
const accepts = ({ pair }: Issued) =>
  authenticate(auth.deps, pair.access).then(
    () => true,
    () => false,
  );
const accepted = () => Promise.all([first, second].map(accepts));

describe("a logout", () => {
  it("ends this session and its access tokens, and no other", async () => {
    expect(await logout(auth.deps, ownerOf(first))).toMatchObject({ sessions: 1 });
    expect(await accepted()).toEqual([false, true]);
    await expectRefused(refresh(auth.deps, first.pair.refresh), "token_revoked", { sessionEnded: true });
    expect((await rowOf(auth, first.session.id)).revokeReason).toBe("logout");
    expect(eventsOf(auth, "sessions_revoked")).toMatchObject([
      { type: "sessions_revoked", ...ownerOf(first), reason: "logout" },
    ]);
  });

  it("of the others leaves this session", async () => {
    expect(await logout(auth.deps, ownerOf(first), "others")).toMatchObject({ sessions: 1 });
    expect(await accepted()).toEqual([true, false]);
    expect(auth.events).toMatchObject([{ type: "sessions_revoked", userId: auth.user.id, reason: "logout" }]);
    expect((await refresh(auth.deps, first.pair.refresh)).outcome).toBe("rotated");
  });

  it("of all ends every session of the user, and of nobody else", async () => {
    const bob = await createUser(auth.deps, { username: "bob" });
    const ofBob = await issue(auth.deps, { user: { ...auth.user, id: bob?.id ?? "" }, epoch: 0 });
    expect(await logout(auth.deps, ownerOf(first), "all")).toMatchObject({ sessions: 2 });
    expect(await accepted()).toEqual([false, false]);
    expect(await accepts(ofBob)).toBe(true);
  });

  it("of all leaves the user free to log in again", async () => {
    await logout(auth.deps, ownerOf(first), "all");
    const third = await logIn(auth);
    expect(await accepts(third)).toBe(true);
    expect((await refresh(auth.deps, third.pair.refresh)).outcome).toBe("rotated");
  });

  it("is harmless where the session is dead already, and then reports nothing", async () => {
    await logout(auth.deps, ownerOf(first));
    auth.events.length = 0;
    expect(await logout(auth.deps, ownerOf(first))).toEqual({ sessions: 0, revocations: [] });
    expect(auth.events).toEqual([]);
  });

  it("ends no session of somebody else", async () => {
    expect(await logout(auth.deps, { ...ownerOf(first), userId: "999" })).toMatchObject({ sessions: 0 });
    expect(await accepted()).toEqual([true, true]);
  });
});

describe("a logout by refresh token", () => {
  it("ends the session of the current token", async () => {
    await logoutByRefreshToken(auth.deps, first.pair.refresh);
    expect(await accepted()).toEqual([false, true]);
    expect(auth.events).toMatchObject([{ type: "sessions_revoked", ...ownerOf(first), reason: "logout" }]);
  });

  it("ends the session of a spent token, too, with what the spent token was exchanged for", async () => {
    const { pair } = await refresh(auth.deps, first.pair.refresh);
    await logoutByRefreshToken(auth.deps, first.pair.refresh);
    await expectRefused(authenticate(auth.deps, pair.access), "token_revoked");
    await expectRefused(refresh(auth.deps, pair.refresh as string), "token_revoked", { sessionEnded: true });
  });

  it("is refused where the session is dead already", async () => {
    await logoutByRefreshToken(auth.deps, first.pair.refresh);
    auth.events.length = 0;
    const attempt = logoutByRefreshToken(auth.deps, first.pair.refresh);
    await expectRefused(attempt, "token_revoked", { reason: "the session is dead already", sessionEnded: true });
    expect(auth.events).toEqual([]);
  });

  it("is refused for an access token, a forgery and an expired token, and ends nothing", async () => {
    await expectRefused(logoutByRefreshToken(auth.deps, first.pair.access), "token_wrong_type");
    await expectRefused(logoutByRefreshToken(auth.deps, `${first.pair.refresh}A`), "token_invalid");
    expect(await accepted()).toEqual([true, true]);
    auth.clock.advance(2_592_000);
    await expectRefused(logoutByRefreshToken(auth.deps, first.pair.refresh), "token_expired");
    expect((await rowOf(auth, first.session.id)).revokedAt).toBeNull();
  });
});
