import { createHash, pbkdf2Sync } from "node:crypto";
import { hash } from "@node-rs/argon2";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { login } from "../../../src/flows/login.ts";
import { changePassword } from "../../../src/flows/passwords/change.ts";
import { refresh } from "../../../src/flows/refresh/refresh.ts";
import type { RefreshOptions } from "../../../src/flows/refresh/report.ts";
import { logout } from "../../../src/flows/sessions/logout.ts";
import { revokeAllSessions, revokeSession } from "../../../src/flows/sessions/sessions.ts";
import { authenticate } from "../../../src/flows/tokens/authenticate.ts";
import { createUser, deleteUser, disableUser, setPassword } from "../../../src/flows/users/users.ts";
import { importedUser } from "../../store/contract/records.ts";
import { alice, type TestAuth, type TestAuthOptions, testStart } from "../../support/auth.ts";
import { createMovingAuth, legacyPayload, legacyToken, signLegacy } from "../../support/simplejwt.ts";
import { eventsOf, expectRefused, logIn, rowOf } from "../flow.ts";

const idempotencyKey = "Zk3q9VYb0m5oRkq2nWl7xA";
const client = { ip: "192.0.2.7", userAgent: "Firefox" };

let auth: TestAuth;
let token: string;

async function start(options: TestAuthOptions = {}): Promise<void> {
  await auth?.close();
  auth = await createMovingAuth(options);
  token = legacyToken();
  auth.events.length = 0;
}

beforeEach(() => start());
afterEach(() => auth.close());

/** Returns what simplejwt's `CHECK_REVOKE_TOKEN` writes into a token. */
const toMark = (encoded: string) => createHash("md5").update(encoded).digest("hex").toUpperCase();
const djangoHash = (password: string) =>
  `pbkdf2_sha256$1000$salt1234$${pbkdf2Sync(password, "salt1234", 1_000, 32, "sha256").toString("base64")}`;

const present = (options?: RefreshOptions, presented = token) => refresh(auth.deps, presented, options);
const next = async (presented: string) => (await refresh(auth.deps, presented)).pair.refresh as string;
const sessions = async () => (await auth.store.sessions.list({ limit: 100 })).sessions;

describe("a refresh with a refresh token of simplejwt", () => {
  it("starts a session of the user and returns its pair", async () => {
    const { outcome, session, pair, user } = await present({ client });
    expect(outcome).toBe("redeemed");
    expect(user).toMatchObject({ id: auth.user.id, username: "alice" });
    expect(session).toMatchObject({ userId: auth.user.id, generation: 0, userAgent: "Firefox", ip: "192.0.2.7" });
    expect(session).toMatchObject({ createdAt: testStart, idleExpiresAt: testStart + 30 * 86_400, persistent: true });
    expect(await authenticate(auth.deps, pair.access)).toMatchObject({ sessionId: session.id, userId: auth.user.id });
    const refreshed = await refresh(auth.deps, pair.refresh as string);
    expect(refreshed).toMatchObject({ outcome: "rotated", session: { id: session.id, generation: 1 } });
  });

  it("emits one event, records it in the audit log, and isn't a login", async () => {
    const { session } = await present({ client });
    const event = {
      type: "refresh",
      outcome: "redeemed",
      time: testStart,
      userId: auth.user.id,
      sessionId: session.id,
    };
    expect(auth.events).toEqual([{ ...event, client }]);
    const { entries } = await auth.store.audit.read({ after: null, limit: 9, sessionId: session.id });
    expect(entries).toMatchObject([{ type: "refresh", userId: auth.user.id, details: { outcome: "redeemed" } }]);
    expect(await auth.store.users.findById(auth.user.id)).toMatchObject({ lastLoginAt: null });
  });

  it("adds the application's claims", async () => {
    await start({ settings: { claims: ({ username }) => ({ name: username }) } });
    const { pair } = await present();
    expect((await authenticate(auth.deps, pair.access)).payload).toMatchObject({ name: "alice" });
  });

  it("spends nothing if the claims hook fails, so that the same request succeeds later", async () => {
    let fails = true;
    await start({
      settings: {
        claims: () => {
          if (fails) throw new Error("no claims");
          return {};
        },
      },
    });
    await expectRefused(present(), "unavailable");
    expect(await auth.store.legacy.count()).toEqual({ redeemed: 0, revoked: 0 });
    fails = false;
    expect(await present()).toMatchObject({ outcome: "redeemed" });
  });

  it("stores nothing that is a token, and nothing from which one could be made", async () => {
    const { pair, session } = await present();
    const row = Object.values(await rowOf(auth, session.id)).map((value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString("hex") : String(value),
    );
    const { secret } = auth.deps.tokens.verifyRefresh(pair.refresh as string);
    const signature = token.split(".")[2] ?? "no signature";
    const forbidden = [
      signature,
      createHash("sha256").update(token).digest("hex"),
      Buffer.from(signature, "base64url").toString("hex"),
      Buffer.from(secret).toString("hex"),
    ];
    for (const text of forbidden) expect(row.some((value) => value.includes(text))).toBe(false);
  });

  it("is refused without the settings, and when the time is over", async () => {
    auth.clock.advance(20 * 86_400);
    await expectRefused(present({}, legacyToken({ exp: testStart + 40 * 86_400 })), "token_invalid");
    await start({ given: { legacyRefreshKey: undefined }, settings: { legacyRefreshUntil: undefined } });
    await expectRefused(present(), "token_invalid");
    expect(await sessions()).toEqual([]);
  });

  it("answers an expired one, an access token, and one of another user's key as simplejwt does", async () => {
    await expectRefused(present({}, legacyToken({ exp: testStart })), "token_expired");
    await expectRefused(present({}, legacyToken({ token_type: "access" })), "token_wrong_type");
    await expectRefused(present({}, signLegacy(legacyPayload(), { secret: "x".repeat(32) })), "token_invalid");
    expect(eventsOf(auth, "refresh").map(({ outcome, userId }) => [outcome, userId])).toEqual(
      Array.from({ length: 3 }, () => ["refused", undefined]),
    );
    expect(await auth.store.legacy.count()).toEqual({ redeemed: 0, revoked: 0 });
  });
});

describe("the user of a refresh token of simplejwt", () => {
  it("must exist, be active, and have come by an import", async () => {
    const ended = { sessionEnded: true };
    await expectRefused(present({}, legacyToken({ user_id: 99 })), "token_user_inactive", ended);
    const own = await createUser(auth.deps, { username: "bob", password: alice.password });
    const reason = "the token was not redeemed: not_imported";
    await expectRefused(present({}, legacyToken({ user_id: Number(own.id) })), "token_user_inactive", {
      ...ended,
      reason,
    });
    await disableUser(auth.deps, auth.user.id);
    await expectRefused(present(), "token_user_inactive", ended);
    await deleteUser(auth.deps, auth.user.id);
    await expectRefused(present(), "token_user_inactive", ended);
    expect(await sessions()).toEqual([]);
    const refusals = eventsOf(auth, "refresh");
    expect(refusals.map(({ outcome, userId }) => [outcome, userId])).toContainEqual(["refused", own.id]);
  });

  it("is one for whom userAuthenticationRule says so", async () => {
    await start({ settings: { userAuthenticationRule: () => false } });
    await expectRefused(present(), "token_user_inactive", { sessionEnded: true });
  });

  it.each<[title: string, revoke: () => Promise<unknown>]>([
    ["a new password", () => setPassword(auth.deps, auth.user.id, "another good password")],
    [
      "a logout of the others",
      async () =>
        logout(auth.deps, { sessionId: (await logIn(auth)).session.id, userId: auth.user.id }, { scope: "others" }),
    ],
    [
      "a logout everywhere",
      async () =>
        logout(auth.deps, { sessionId: (await logIn(auth)).session.id, userId: auth.user.id }, { scope: "all" }),
    ],
    ["a revocation of everything", () => revokeAllSessions(auth.deps)],
  ])("loses it by %s here", async (_, revoke) => {
    await revoke();
    await expectRefused(present(), "token_revoked", { sessionEnded: true });
    expect(await auth.store.legacy.count()).toMatchObject({ redeemed: 0 });
  });

  it("loses one that was issued for an older password, if simplejwt has noted it", async () => {
    const passwordHash = "pbkdf2_sha256$1$salt$hash";
    await auth.store.users.importBatch([importedUser("carol", { id: "7", passwordHash })]);
    const marked = (encoded: string) => legacyToken({ user_id: 7, hash_password: toMark(encoded) });
    await expectRefused(present({}, marked("pbkdf2_sha256$1$salt$older")), "password_changed", { sessionEnded: true });
    token = marked(passwordHash);
    expect(await present()).toMatchObject({ outcome: "redeemed" });
    // A node without the key of simplejwt replaces the hash of the same password at a login. The session stays, and so does the
    // detection of reuse.
    await auth.store.users.replacePasswordHash("7", {
      from: passwordHash,
      to: "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$aGFzaA",
    });
    await expectRefused(present({}, marked(passwordHash)), "password_changed", { sessionEnded: true });
    expect(await present()).toMatchObject({ outcome: "replayed" });
    auth.clock.advance(11);
    await expectRefused(present(), "token_revoked", { sessionEnded: true });
    expect(await sessions()).toEqual([]);
  });

  it("keeps one with a mark of the imported hash after a login on another device", async () => {
    const passwordHash = djangoHash(alice.password);
    await auth.store.users.importBatch([importedUser("carol", { id: "7", passwordHash })]);
    const credentials = { username: "carol", password: alice.password };
    const stored = async () => (await auth.store.users.findById("7"))?.passwordHash;
    const marked = () => legacyToken({ user_id: 7, hash_password: toMark(passwordHash) });
    const [token, late] = [marked(), marked()];
    await login(auth.deps, credentials);
    expect(await present({}, token)).toMatchObject({ outcome: "redeemed" });
    await setPassword(auth.deps, "7", "another good password");
    await expectRefused(present({}, late), "password_changed", { sessionEnded: true });
    // When the tokens are over, a login replaces the hash.
    await auth.store.users.setPassword("7", passwordHash);
    auth.clock.advance(21 * 86_400);
    await login(auth.deps, credentials);
    expect(await stored()).toMatch(/^\$argon2id\$/);
  });

  it("gets a new hash at a login if the stored one is weak and isn't Django's", async () => {
    const weak = await hash(alice.password, { memoryCost: 32, timeCost: 1 });
    await auth.store.users.setPassword(auth.user.id, weak);
    await logIn(auth);
    expect((await auth.store.users.findById(auth.user.id))?.passwordHash).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
  });

  it("may be in the application's own table, whose ids are those of the tokens", async () => {
    const users = new Map([["42", { id: "42", username: "dora", isActive: true }]]);
    await start({ settings: { findUser: (id) => users.get(id) ?? null } });
    const presented = legacyToken({ user_id: 42 });
    expect(await present({}, presented)).toMatchObject({ outcome: "redeemed", session: { userId: "42" } });
    await expectRefused(present({}, legacyToken({ user_id: 43 })), "token_user_inactive", { sessionEnded: true });
  });
});

describe("a refresh token of simplejwt that is presented again", () => {
  it("gets the same refresh token within the reuse interval, byte for byte, and the row doesn't change", async () => {
    const { pair, session } = await present({ idempotencyKey });
    const row = await rowOf(auth, session.id);
    auth.clock.advance(10);
    const again = await present();
    expect(again).toMatchObject({ outcome: "replayed", session: { id: session.id } });
    expect(again.pair.refresh).toBe(pair.refresh);
    expect(again.pair.access).not.toBe(pair.access);
    expect(await rowOf(auth, session.id)).toEqual(row);
    expect(eventsOf(auth, "refresh").map(({ outcome }) => outcome)).toEqual(["redeemed", "replayed"]);
  });

  it("gets the same refresh token hours later with the idempotency key of the redemption", async () => {
    const { pair } = await present({ idempotencyKey });
    auth.clock.advance(8 * 3_600);
    expect(await present({ idempotencyKey })).toMatchObject({ outcome: "replayed", pair: { refresh: pair.refresh } });
  });

  it("later is reuse: its session is revoked, with a feed entry and an audit entry, and no other session", async () => {
    const { session, pair } = await present({ client });
    const other = await logIn(auth);
    auth.clock.advance(11);
    auth.events.length = 0;
    await expectRefused(present({ client }), "token_revoked", { sessionEnded: true });
    const subject = { time: testStart + 11, userId: auth.user.id, sessionId: session.id, client };
    // On a busy machine, the feed may note that the clock was advanced.
    expect(auth.events.filter(({ type }) => !type.startsWith("feed_"))).toEqual([
      { type: "sessions_revoked", ...subject, sessions: 1, reason: "reuse" },
      { type: "refresh", ...subject, outcome: "reuse_detected", reason: "a spent refresh token was presented again" },
    ]);
    const { entries } = await auth.store.audit.read({ after: null, limit: 9, outcome: "reuse_detected" });
    expect(entries).toMatchObject([{ sessionId: session.id }]);
    await expectRefused(refresh(auth.deps, pair.refresh as string), "token_revoked", { sessionEnded: true });
    await expectRefused((async () => authenticate(auth.deps, pair.access))(), "token_revoked");
    expect((await sessions()).map(({ id }) => id)).toEqual([other.session.id]);
    await expectRefused(present({ client }), "token_revoked", { sessionEnded: true });
  });

  it("is reuse when its session was rotated once or more, even at once and with the same key", async () => {
    for (const rotations of [1, 2]) {
      token = legacyToken();
      let { refresh: current } = (await present({ idempotencyKey })).pair;
      for (let i = 0; i < rotations; i += 1) current = await next(current as string);
      await expectRefused(present({ idempotencyKey }), "token_revoked", { sessionEnded: true });
      await expectRefused(refresh(auth.deps, current as string), "token_revoked", { sessionEnded: true });
    }
  });

  it("is refused when its session was logged out, and doesn't start another one", async () => {
    const { session } = await present({ idempotencyKey });
    await revokeSession(auth.deps, session.id, {});
    await expectRefused(present({ idempotencyKey }), "token_revoked", { sessionEnded: true });
    expect(await sessions()).toEqual([]);
  });

  it("stays the session's after the user has logged the others out from it", async () => {
    const { session, pair } = await present({ idempotencyKey });
    await logout(auth.deps, { sessionId: session.id, userId: auth.user.id }, { scope: "others" });
    expect(await present({ idempotencyKey })).toMatchObject({ outcome: "replayed", session: { id: session.id } });
    await next(pair.refresh as string);
    await expectRefused(present({ idempotencyKey }), "token_revoked", { sessionEnded: true });
    expect(await sessions()).toEqual([]);
  });

  it("is older than the password after a change of it in its session", async () => {
    const { session } = await present({ idempotencyKey });
    const change = { sessionId: session.id, userId: auth.user.id };
    const passwords = { currentPassword: alice.password, newPassword: "another good password" };
    await changePassword(auth.deps, { ...change, ...passwords });
    await expectRefused(present({ idempotencyKey }), "password_changed");
    expect((await sessions()).map(({ id }) => id)).toEqual([session.id]);
  });

  it("gets one session and one pair in a race of 64", async () => {
    const answers = await Promise.all(Array.from({ length: 64 }, () => present()));
    expect(answers.filter(({ outcome }) => outcome === "redeemed")).toHaveLength(1);
    expect(answers.filter(({ outcome }) => outcome === "replayed")).toHaveLength(63);
    expect(new Set(answers.map(({ pair }) => pair.refresh)).size).toBe(1);
    expect(await sessions()).toHaveLength(1);
  });

  it("is told apart from another token with the same jti, which changes nothing", async () => {
    const payload = legacyPayload();
    const { session } = await present({}, signLegacy(payload));
    await expectRefused(present({}, signLegacy({ ...payload, extra: 1 })), "token_revoked");
    expect(eventsOf(auth, "refresh").at(-1)).toMatchObject({ outcome: "state_lost" });
    expect((await sessions()).map(({ id }) => id)).toEqual([session.id]);
  });

  it("of another user with the same jti is refused and changes nothing", async () => {
    await auth.store.users.importBatch([importedUser("bob", { id: "2" })]);
    const payload = legacyPayload();
    const { session } = await present({}, signLegacy(payload));
    auth.clock.advance(60);
    await expectRefused(present({}, signLegacy({ ...payload, user_id: 2 })), "token_invalid");
    expect((await sessions()).map(({ id }) => id)).toEqual([session.id]);
  });
});

describe("a refresh token of simplejwt without rotation", () => {
  beforeEach(() => start({ settings: { rotateRefreshTokens: false } }));

  it("stays valid as the session's first refresh token, and gets that one each time", async () => {
    const { pair, session } = await present();
    for (const seconds of [5, 3_600, 70_000]) {
      auth.clock.advance(seconds);
      const again = await present();
      expect(again).toMatchObject({ outcome: "not_rotated", session: { id: session.id, generation: 0 } });
      expect(again.pair.refresh).toBe(pair.refresh);
      await authenticate(auth.deps, again.pair.access);
    }
    expect(await refresh(auth.deps, pair.refresh as string)).toMatchObject({ outcome: "not_rotated" });
    expect(await sessions()).toHaveLength(1);
  });

  it("is refused when its session is over", async () => {
    const { session } = await present();
    await revokeSession(auth.deps, session.id, {});
    await expectRefused(present(), "token_revoked", { sessionEnded: true });
  });

  it("changes nothing if it is another token with the same jti", async () => {
    const payload = legacyPayload();
    await present({}, signLegacy(payload));
    await expectRefused(present({}, signLegacy({ ...payload, extra: 1 })), "token_revoked");
    expect(await sessions()).toHaveLength(1);
  });

  it("is counted as one whose client ignores the refresh tokens that it gets", async () => {
    await start({ settings: { rotateRefreshTokens: "observe" } });
    const { pair } = await present();
    expect(await present()).toMatchObject({ outcome: "not_rotated" });
    auth.clock.advance(3_600);
    await refresh(auth.deps, pair.refresh as string);
    auth.clock.advance(3_600);
    await present();
    expect(eventsOf(auth, "refresh").map(({ outcome }) => outcome)).toEqual([
      "redeemed",
      "not_rotated",
      "not_rotated",
      "rotation_ignored",
    ]);
  });
});
