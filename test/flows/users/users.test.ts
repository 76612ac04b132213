import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AuthUser, User } from "../../../src/core/user.ts";
import { login } from "../../../src/flows/login.ts";
import { refresh } from "../../../src/flows/refresh/refresh.ts";
import { authenticate } from "../../../src/flows/tokens/authenticate.ts";
import { findCurrentUser } from "../../../src/flows/users/user-source.ts";
import {
  createUser,
  deleteUser,
  disableUser,
  enableUser,
  findUser,
  findUserByName,
  listUsers,
  maxListedUsers,
  requireOwnTable,
  setPassword,
  updateUser,
} from "../../../src/flows/users/users.ts";
import { alice, createTestAuth, type TestAuth, testStart } from "../../support/auth.ts";
import { expectRefused, logIn } from "../flow.ts";

const client = { ip: "192.0.2.7", actor: "staff/7" };

let auth: TestAuth;

beforeEach(async () => {
  auth = await createTestAuth();
  auth.events.length = 0;
});
afterEach(() => auth.close());

const idsOf = (users: readonly User[]) => users.map(({ id }) => id);

describe("createUser", () => {
  it("creates an active user without privileges, who can log in with the password", async () => {
    const bob = await createUser(auth.deps, {
      username: " Bob ",
      password: "builder of bridges",
      email: "b@example.com",
    });
    expect(bob).toEqual({
      id: expect.any(String),
      username: "Bob",
      email: "b@example.com",
      isActive: true,
      role: null,
      epoch: 0,
      createdAt: testStart,
      lastLoginAt: null,
    });
    const { user } = await login(auth.deps, { username: "bob", password: "builder of bridges" });
    expect(user).toEqual(bob);
  });

  it("emits user_changed with the new user's id and nothing else about the user", async () => {
    const { id: userId } = await createUser(auth.deps, { username: "bob", role: "admin" }, { client });
    expect(auth.events).toEqual([{ type: "user_changed", time: testStart, userId, change: "created", client }]);
  });

  it("answers username_taken for every spelling of a name that a user has, and emits nothing", async () => {
    for (const username of ["alice", "ALICE", "\uff41lice", "alice "]) {
      const reason = "This username is taken.";
      await expectRefused(createUser(auth.deps, { username }), "username_taken", { reason });
    }
    expect(auth.events).toEqual([]);
  });

  it("refuses an invalid username and an invalid email address, and creates no user", async () => {
    await expectRefused(createUser(auth.deps, { username: "b\0b" }), "username_invalid");
    await expectRefused(createUser(auth.deps, { username: "bob", email: "not an address" }), "email_invalid");
    expect(await findUserByName(auth.deps, "bob")).toBeNull();
    expect(auth.events).toEqual([]);
  });
});

describe("the password policy", () => {
  it.each([
    ["seven 7", /^This password is too short/],
    ["BASEBALL", /^This password is too common/],
    ["not-bob-again", /^This password contains the username/],
  ])("refuses %j when a user is created and when a password is set", async (password, reason) => {
    await expectRefused(createUser(auth.deps, { username: "bob", password }), "password_refused", { reason });
    const bob = await createUser(auth.deps, { username: "bob" });
    await expectRefused(setPassword(auth.deps, bob.id, password), "password_refused", { reason });
    await expectRefused(login(auth.deps, { username: "bob", password }), "no_active_account");
  });
});

describe("findUser and findUserByName", () => {
  it("return a user without the password hash", async () => {
    expect(await findUser(auth.deps, auth.user.id)).toEqual(auth.user);
    expect(await findUserByName(auth.deps, " ALICE")).toEqual(auth.user);
    expect(auth.user).not.toHaveProperty("passwordHash");
  });

  it("return null if there is no such user", async () => {
    expect(await findUser(auth.deps, "999")).toBeNull();
    expect(await findUserByName(auth.deps, "nobody")).toBeNull();
  });
});

describe("findCurrentUser", () => {
  it("returns a user of tokenpair's own table without the password hash, or null", async () => {
    expect(await findCurrentUser(auth.deps, auth.user.id)).toEqual(auth.user);
    expect(await findCurrentUser(auth.deps, "999")).toBeNull();
  });

  it("returns what the application's findUser returns, or null", async () => {
    const ada = { id: "u-1", username: "ada", isActive: true, plan: "gold" };
    const table = new Map<string, AuthUser>([[ada.id, ada]]);
    const findUser = async (id: string) => table.get(id) as AuthUser;
    const application = await createTestAuth({ settings: { findUser } });
    expect(await findCurrentUser(application.deps, "u-1")).toEqual(ada);
    expect(await findCurrentUser(application.deps, "u-2")).toBeNull();
    await application.close();
  });
});

describe("listUsers", () => {
  it("returns users in order of creation without password hashes, page by page", async () => {
    const created = [auth.user];
    for (const username of ["zoe", "bob", "carol"]) created.push(await createUser(auth.deps, { username }));
    expect(await listUsers(auth.deps)).toEqual(created);
    const [first, second, third, fourth] = idsOf(created);
    expect(idsOf(await listUsers(auth.deps, { limit: 2 }))).toEqual([first, second]);
    expect(idsOf(await listUsers(auth.deps, { limit: 2, after: second }))).toEqual([third, fourth]);
    expect(await listUsers(auth.deps, { after: fourth })).toEqual([]);
  });

  it("asks the store for at most 1,000 users", async () => {
    const limits: number[] = [];
    const list: typeof auth.store.users.list = async ({ limit }) => {
      limits.push(limit);
      return [];
    };
    const store = { ...auth.store, users: { ...auth.store.users, list } };
    await listUsers({ store });
    await listUsers({ store }, { limit: 5_000 });
    await listUsers({ store }, { limit: 7 });
    expect(limits).toEqual([maxListedUsers, maxListedUsers, 7]);
    expect(maxListedUsers).toBe(1_000);
  });
});

describe("updateUser", () => {
  it("changes the given members, keeps the others, and revokes no session", async () => {
    const { pair } = await logIn(auth);
    auth.events.length = 0;
    const { id } = auth.user;
    const renamed = await updateUser(auth.deps, id, { username: " Alicia " }, { client });
    expect(renamed).toEqual({ ...auth.user, username: "Alicia", lastLoginAt: auth.clock.now() });
    const changed = await updateUser(auth.deps, id, { email: "a@example.com", role: "admin" });
    expect(changed).toEqual({ ...renamed, email: "a@example.com", role: "admin" });
    expect(await updateUser(auth.deps, id, { email: null })).toEqual({ ...changed, email: null });
    expect(await findUser(auth.deps, id)).toEqual({ ...changed, email: null });
    expect(authenticate(auth.deps, pair.access)).toMatchObject({ userId: id });
    expect((await refresh(auth.deps, pair.refresh)).outcome).toBe("rotated");
  });

  it("emits user_changed once, with the change updated", async () => {
    await updateUser(auth.deps, auth.user.id, { email: "a@example.com" }, { client });
    const { id: userId } = auth.user;
    expect(auth.events).toEqual([{ type: "user_changed", time: testStart, userId, change: "updated", client }]);
  });

  it("emits nothing if every member has the value already", async () => {
    await updateUser(auth.deps, auth.user.id, { email: "a@example.com" });
    auth.events.length = 0;
    for (const patch of [{}, { username: "alice" }, { email: "a@example.com", role: null }]) {
      expect(await updateUser(auth.deps, auth.user.id, patch)).toMatchObject({ email: "a@example.com" });
    }
    expect(auth.events).toEqual([]);
  });

  it("lets the user log in with the new name and not with the old one", async () => {
    await updateUser(auth.deps, auth.user.id, { username: "alicia" });
    expect((await login(auth.deps, { ...alice, username: "ALICIA" })).user.id).toBe(auth.user.id);
    await expectRefused(logIn(auth), "no_active_account");
    expect((await createUser(auth.deps, { username: "alice" })).id).not.toBe(auth.user.id);
  });

  it("accepts another spelling of the user's own name", async () => {
    expect(await updateUser(auth.deps, auth.user.id, { username: "ALICE" })).toMatchObject({ username: "ALICE" });
  });

  it("changes nothing and emits nothing if it refuses", async () => {
    const { id } = await createUser(auth.deps, { username: "bob" });
    auth.events.length = 0;
    const email = "b@example.com";
    const reason = "This username is taken.";
    await expectRefused(updateUser(auth.deps, id, { username: "\uff21lice", email }), "username_taken", { reason });
    await expectRefused(updateUser(auth.deps, id, { username: "b\nb", email }), "username_invalid");
    await expectRefused(updateUser(auth.deps, id, { username: "robert", email: "nowhere" }), "email_invalid");
    await expectRefused(updateUser(auth.deps, "999", { email }), "user_not_found");
    expect(await findUser(auth.deps, id)).toMatchObject({ username: "bob", email: null });
    expect(auth.events).toEqual([]);
  });

  it("gives a name to one of two users who are renamed to it at the same time", async () => {
    const bob = await createUser(auth.deps, { username: "bob" });
    auth.events.length = 0;
    const renames = [auth.user, bob].map(({ id }) => updateUser(auth.deps, id, { username: "carol" }));
    const results = await Promise.allSettled(renames);
    const [refused, ...others] = results.filter((result) => result.status === "rejected");
    expect(refused?.reason).toMatchObject({ name: "AuthError", code: "username_taken" });
    expect(others).toEqual([]);
    const carol = await findUserByName(auth.deps, "carol");
    expect(auth.events).toMatchObject([{ type: "user_changed", userId: carol?.id, change: "updated" }]);
  });
});

describe("a change that revokes a user's sessions", () => {
  it.each([
    ["disableUser", disableUser, "disabled", "user_disabled", "token_user_inactive"],
    ["deleteUser", deleteUser, "deleted", "user_deleted", "token_user_inactive"],
    ["setPassword", setPassword, "password_changed", "password_changed", "password_changed"],
  ] as const)(
    "revokes every session and access token at once, and emits it: %s",
    async (_, apply, change, reason, code) => {
      const userId = auth.user.id;
      const [one, two] = [await logIn(auth), await logIn(auth)];
      auth.events.length = 0;
      expect(await apply(auth.deps, userId, "another horse")).toMatchObject({ sessions: 2 });
      for (const { pair } of [one, two]) expect(() => authenticate(auth.deps, pair.access)).toThrow(/^token_revoked/);
      expect(auth.events).toMatchObject([
        { type: "user_changed", userId, change },
        { type: "sessions_revoked", userId, reason },
      ]);
      await expectRefused(refresh(auth.deps, one.pair.refresh), code, { sessionEnded: true });
    },
  );

  it("makes the new password valid and the old one invalid: setPassword", async () => {
    await setPassword(auth.deps, auth.user.id, "another horse");
    await expectRefused(logIn(auth), "no_active_account");
    expect((await login(auth.deps, { ...alice, password: "another horse" })).user.id).toBe(auth.user.id);
  });

  it("frees the name for a user with another id: deleteUser", async () => {
    await deleteUser(auth.deps, auth.user.id);
    expect((await createUser(auth.deps, alice)).id).not.toBe(auth.user.id);
  });
});

describe("enableUser", () => {
  it("lets a disabled user log in again, while revoked sessions stay revoked", async () => {
    const before = await logIn(auth);
    await disableUser(auth.deps, auth.user.id);
    auth.events.length = 0;
    await enableUser(auth.deps, auth.user.id);
    expect(auth.events).toMatchObject([{ type: "user_changed", userId: auth.user.id, change: "enabled" }]);
    expect(() => authenticate(auth.deps, before.pair.access)).toThrow(/^token_revoked/);
    await expectRefused(refresh(auth.deps, before.pair.refresh), "token_user_inactive", { sessionEnded: true });
    expect((await logIn(auth)).user.id).toBe(auth.user.id);
  });
});

describe("a change of an unknown user", () => {
  it.each([
    ["disableUser", disableUser],
    ["enableUser", enableUser],
    ["deleteUser", deleteUser],
    ["setPassword", setPassword],
  ] as const)("answers user_not_found and emits nothing: %s", async (_, change) => {
    await expectRefused(change(auth.deps, "999", "another horse"), "user_not_found");
    expect(auth.events).toEqual([]);
  });
});

describe("requireOwnTable", () => {
  it("throws a TypeError only if the application has a user table of its own", () => {
    expect(() => requireOwnTable({ findUser: async () => null })).toThrow(TypeError);
    expect(() => requireOwnTable({ findUser: undefined })).not.toThrow();
  });
});
