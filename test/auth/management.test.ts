import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Auth, AuthEvent, RevokeOptions } from "../../src/index.ts";
import { type AuthNode, addUser, bearer, refused, startNode } from "./node.ts";

let node: AuthNode;
let auth: Auth;
let userId: string;

beforeEach(async () => {
  node = await startNode();
  ({ auth } = node);
  userId = await addUser(auth);
});
afterEach(() => node.close());

describe("auth.sessions", () => {
  it("labels a session, revokes it, and revokes all of a user's sessions or all there are", async () => {
    const { session } = await auth.issue(userId);
    const owner = { sessionId: session.id, userId };
    expect((await auth.sessions.label(owner, { label: "kitchen" })).label).toBe("kitchen");
    expect((await auth.sessions.label(owner, { label: null })).label).toBeNull();
    await expect(auth.sessions.revoke(session.id, { userId: "999" })).rejects.toEqual(refused("session_not_found"));
    await auth.sessions.revoke(session.id, { userId });
    await auth.issue(userId);
    expect(await auth.sessions.revokeAllForUser(userId)).toMatchObject({ sessions: 1 });
    await auth.issue(userId);
    expect(await auth.sessions.revokeAll()).toMatchObject({ sessions: 1 });
  });

  it("revokes and labels nothing if the options are not an object", async () => {
    const { session } = await auth.issue(userId);
    const stranger = "999" as RevokeOptions;
    await expect(auth.sessions.revoke(session.id, stranger)).rejects.toThrow(TypeError);
    const label = "kitchen" as unknown as { label: string };
    await expect(auth.sessions.label({ sessionId: session.id, userId }, label)).rejects.toThrow(TypeError);
    expect(await auth.sessions.list(userId)).toEqual([session]);
  });
});

describe("auth.users", () => {
  it("finds a user by id and by name, or returns null", async () => {
    const ada = { id: userId, username: "ada", email: null, isActive: true, role: null, lastLoginAt: null };
    expect(await auth.users.find(userId)).toMatchObject(ada);
    expect(await auth.users.findByName("ADA")).toMatchObject(ada);
    expect(await auth.users.find("999")).toBeNull();
    expect(await auth.users.findByName("bob")).toBeNull();
  });

  it("never returns a user's password hash", async () => {
    const eve = await auth.users.create({ username: "eve", password: "analytical engine" });
    const [found, named, listed] = [
      await auth.users.find(eve.id),
      await auth.users.findByName("eve"),
      (await auth.users.list({ after: userId }))[0],
    ];
    for (const user of [eve, found, named, listed]) {
      expect(user?.username).toBe("eve");
      expect(JSON.stringify(user)).not.toMatch(/argon2|hash/i);
    }
  });

  it("lists users in order of creation, page by page", async () => {
    for (const name of ["bob", "cleo", "dora"]) await addUser(auth, name);
    const names = async (options?: Parameters<Auth["users"]["list"]>[0]) =>
      (await auth.users.list(options)).map(({ username }) => username);
    expect(await names()).toEqual(["ada", "bob", "cleo", "dora"]);
    expect(await names({ limit: 2 })).toEqual(["ada", "bob"]);
    const after = (await auth.users.list({ limit: 2 })).at(-1)?.id;
    expect(await names({ limit: 2, after })).toEqual(["cleo", "dora"]);
    expect(await names({ after: (await auth.users.findByName("dora"))?.id })).toEqual([]);
  });

  it("updates a user while the sessions stay, and emits who did it", async () => {
    const { access } = await auth.issue(userId);
    const events: AuthEvent[] = [];
    auth.on((event) => events.push(event));
    const changes = { username: "lovelace", email: "ada@example.com", role: "admin" } as const;
    const client = { actor: "support/bob" };
    expect(await auth.users.update(userId, changes, { client })).toMatchObject({ id: userId, ...changes });
    expect(await auth.users.update(userId, { email: null })).toMatchObject({ ...changes, email: null });
    expect(await auth.users.find(userId)).toMatchObject({ ...changes, email: null });
    expect(await auth.authenticate(bearer(access))).toMatchObject({ userId });
    expect(events).toMatchObject([
      { type: "user_changed", change: "updated", userId, client },
      { type: "user_changed", change: "updated", userId, client: {} },
    ]);
  });

  it("refuses usernames and email addresses that are taken or faulty, and changes nothing", async () => {
    await addUser(auth, "bob");
    await expect(auth.users.create({ username: "ADA" })).rejects.toEqual(refused("username_taken"));
    await expect(auth.users.create({ username: " " })).rejects.toEqual(refused("username_invalid"));
    await expect(auth.users.create({ username: "eve", email: "eve" })).rejects.toEqual(refused("email_invalid"));
    await expect(auth.users.update(userId, { username: "Bob" })).rejects.toEqual(refused("username_taken"));
    await expect(auth.users.update(userId, { username: "" })).rejects.toEqual(refused("username_invalid"));
    await expect(auth.users.update(userId, { email: "ada" })).rejects.toEqual(refused("email_invalid"));
    await expect(auth.users.update("999", { role: "admin" })).rejects.toEqual(refused("user_not_found"));
    expect(await auth.users.list()).toMatchObject([{ username: "ada", email: null }, { username: "bob" }]);
  });
});

describe("auth.audit", () => {
  it("lists the newest audit entries, oldest first, and continues after a cursor", async () => {
    const { session } = await auth.issue(userId);
    await auth.logout({ userId, sessionId: session.id });
    const newest = await auth.audit.list({ limit: 2 });
    expect(newest.entries.map(({ type }) => type)).toEqual(["login", "sessions_revoked"]);
    expect(newest.more).toBe(false);

    for (let n = 0; n < 3; n++) await auth.issue(userId);
    const first = await auth.audit.list({ after: newest.cursor, type: "login", limit: 2 });
    expect(first).toMatchObject({
      entries: [
        { type: "login", userId },
        { type: "login", userId },
      ],
      more: true,
    });
    const second = await auth.audit.list({ after: first.cursor, type: "login", limit: 2 });
    expect(second).toMatchObject({ entries: [{ type: "login" }], more: false });
    expect(await auth.audit.list({ after: second.cursor })).toMatchObject({ entries: [], more: false });
    const ids = [newest, first, second].flatMap(({ entries }) => entries.map(({ id }) => id));
    expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => a - b));
  });

  it("lists only the audit entries of a user, a session, a type or a time", async () => {
    const bob = await addUser(auth, "bob");
    const { session } = await auth.issue(bob);
    const types = async (query: Parameters<Auth["audit"]["list"]>[0]) =>
      (await auth.audit.list(query)).entries.map(({ type }) => type);
    expect(await types({})).toEqual(["user_changed", "user_changed", "login"]);
    expect(await types({ userId: bob })).toEqual(["user_changed", "login"]);
    expect(await types({ sessionId: session.id })).toEqual(["login"]);
    expect(await types({ type: "user_changed" })).toEqual(["user_changed", "user_changed"]);
    expect(await types({ since: session.createdAt + 3_600 })).toEqual([]);
  });

  it("lists only the audit entries of refreshes with one outcome", async () => {
    const { close, auth: audited } = await startNode({ auditRotations: true });
    const { refresh } = await audited.issue(await addUser(audited));
    await audited.refresh(refresh);
    await audited.refresh(refresh);
    const { entries } = await audited.audit.list({ type: "refresh", outcome: "replayed" });
    expect(entries).toMatchObject([{ type: "refresh", details: { outcome: "replayed" } }]);
    await close();
  });
});

describe("a limit of a list", () => {
  it.each([0, -1, 1.5, Number.NaN, "10"])(
    "is refused if it is %s, which is not a positive whole number",
    async (limit) => {
      const options = { limit } as { limit: number };
      const message = /\.list: limit must be a positive whole number, got /;
      for (const list of [auth.users.list, auth.audit.list]) {
        await expect(list(options)).rejects.toThrow(TypeError);
        await expect(list(options)).rejects.toThrow(message);
      }
    },
  );
});
