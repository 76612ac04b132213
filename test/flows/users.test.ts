import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { authenticate } from "../../src/flows/authenticate.ts";
import { login } from "../../src/flows/login.ts";
import { refresh } from "../../src/flows/refresh/refresh.ts";
import {
  createUser,
  deleteUser,
  disableUser,
  enableUser,
  findUserByName,
  findUsernameFault,
  setPassword,
} from "../../src/flows/users.ts";
import { alice, createTestAuth, type TestAuth, testStart } from "../support/auth.ts";
import { expectRefused, logIn } from "./flow.ts";

let auth: TestAuth;

beforeEach(async () => {
  auth = await createTestAuth();
  auth.events.length = 0;
});
afterEach(() => auth.close());

describe("a new user", () => {
  it.each([
    "notanemail",
    "@example.com",
    "bob@",
    "bob smith@example.com",
    "bob@exam\u0000ple",
    `${"b".repeat(250)}@x.org`,
    "",
  ])("has no email address such as %j", async (email) => {
    const bob = { username: "bob", password: "builder of bridges", email };
    await expect(createUser(auth.deps, bob)).rejects.toThrow(/^An email address has /);
    expect(await findUserByName(auth.deps, "bob")).toBeNull();
  });

  it("is active, without privileges, and may log in with the password", async () => {
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
      isStaff: false,
      epoch: 0,
      createdAt: testStart,
      lastLoginAt: null,
    });
    const { user } = await login(auth.deps, { username: "bob", password: "builder of bridges" });
    expect(user).toEqual(bob);
  });

  it("is reported, with nothing but the id", async () => {
    const bob = await createUser(auth.deps, { username: "bob", isStaff: true });
    expect(auth.events).toMatchObject([{ type: "user_changed", userId: bob?.id, change: "created" }]);
  });

  it("is null where the name is taken, in whatever spelling, and then nothing is reported", async () => {
    for (const username of ["alice", "ALICE", "\uff41lice", "alice "]) {
      expect(await createUser(auth.deps, { username })).toBeNull();
    }
    expect(auth.events).toEqual([]);
  });

  it("has a name that can be a name", async () => {
    expect(findUsernameFault("a".repeat(150))).toBeNull();
    expect(findUsernameFault("ädä.lövelace@example.com")).toBeNull();
    for (const username of ["", "  ", "a".repeat(151), "a\0b", "a\nb", "a\u0085b", "a\ud800b"]) {
      expect(findUsernameFault(username)).toMatch(/^A username /);
      await expect(createUser(auth.deps, { username })).rejects.toThrow(TypeError);
    }
  });
});

describe("a password that an operator or the application sets", () => {
  it.each([
    ["seven 7", /^This password is too short/],
    ["BASEBALL", /^This password is too common/],
    ["not-bob-again", /^This password contains the username/],
  ])("is held against the policy: %j", async (password, reason) => {
    const refusal = { reason };
    await expectRefused(createUser(auth.deps, { username: "bob", password }), "password_refused", refusal);
    const bob = await createUser(auth.deps, { username: "bob" });
    await expectRefused(setPassword(auth.deps, bob?.id ?? "", password), "password_refused", refusal);
    await expectRefused(login(auth.deps, { username: "bob", password }), "no_active_account");
  });
});

describe("a user found by name", () => {
  it("comes without the password's hash", async () => {
    expect(await findUserByName(auth.deps, "Alice")).toEqual(auth.user);
    expect(auth.user).not.toHaveProperty("passwordHash");
  });

  it("is null where there is none", async () => {
    expect(await findUserByName(auth.deps, "nobody")).toBeNull();
  });
});

describe("a change of a user by the operator", () => {
  it.each([
    ["disabled", disableUser, "user_disabled", "token_user_inactive"],
    ["deleted", deleteUser, "user_deleted", "token_user_inactive"],
    ["password_changed", setPassword, "password_changed", "password_changed"],
  ] as const)(
    "(%s) ends every session and access token at once, and is reported",
    async (change, apply, reason, code) => {
      const userId = auth.user.id;
      const [one, two] = [await logIn(auth), await logIn(auth)];
      auth.events.length = 0;
      expect(await apply(auth.deps, userId, "another horse")).toMatchObject({ sessions: 2 });
      for (const { pair } of [one, two]) {
        await expectRefused(authenticate(auth.deps, pair.access), "token_revoked");
      }
      expect(auth.events).toMatchObject([
        { type: "user_changed", userId, change },
        { type: "sessions_revoked", userId, reason },
      ]);
      await expectRefused(refresh(auth.deps, one.pair.refresh), code, { sessionEnded: true });
    },
  );

  it("has a new password in force, and the old one out of it", async () => {
    await setPassword(auth.deps, auth.user.id, "another horse");
    await expectRefused(logIn(auth), "no_active_account");
    expect((await login(auth.deps, { ...alice, password: "another horse" })).user.id).toBe(auth.user.id);
  });

  it("that enables lets the user log in again, while what had ended stays ended", async () => {
    const before = await logIn(auth);
    await disableUser(auth.deps, auth.user.id);
    auth.events.length = 0;
    await enableUser(auth.deps, auth.user.id);
    expect(auth.events).toMatchObject([{ type: "user_changed", userId: auth.user.id, change: "enabled" }]);
    await expectRefused(authenticate(auth.deps, before.pair.access), "token_revoked");
    await expectRefused(refresh(auth.deps, before.pair.refresh), "token_user_inactive", { sessionEnded: true });
    expect((await logIn(auth)).user.id).toBe(auth.user.id);
  });

  it("is refused where there is no such user, and then nothing is reported", async () => {
    for (const change of [disableUser, enableUser, deleteUser, setPassword]) {
      await expectRefused(change(auth.deps, "999", "another horse"), "user_not_found");
    }
    expect(auth.events).toEqual([]);
  });

  it("that deletes frees the name, for a user with another id", async () => {
    await deleteUser(auth.deps, auth.user.id);
    const again = await createUser(auth.deps, alice);
    expect(again?.id).not.toBe(auth.user.id);
  });
});
