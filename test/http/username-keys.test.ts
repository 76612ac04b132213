import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toFormerUsernameKey } from "../../src/core/username.ts";
import { createUserImport } from "../../src/flows/users/import-users.ts";
import { updateUsernameKeys } from "../../src/flows/users/username-keys.ts";
import { createUser, findUserByName, updateUser } from "../../src/flows/users/users.ts";
import { expectRefused } from "../flows/flow.ts";
import { createTestAuth, type TestAuth } from "../support/auth.ts";

let auth: TestAuth;
beforeEach(async () => {
  auth = await createTestAuth();
});
afterEach(() => auth.close());

const password = "correct horse battery staple";

/** Inserts a user as tokenpair 0.1 did. Returns the id. */
async function createFormerUser(username: string): Promise<string> {
  const usernameKey = toFormerUsernameKey(username, false);
  const passwordHash = await auth.passwords.hash(password);
  const created = await auth.store.users.create({ username, usernameKey, email: null, role: null, passwordHash });
  return created.outcome === "created" ? created.user.id : expect.fail("the name is taken");
}

const statusOf = async (username: string) =>
  (await auth.send("POST", "/api/token/", { body: { username, password } })).status;
const idOf = async (username: string) => (await findUserByName(auth.deps, username))?.id;

describe("usernames that differ only in case", () => {
  it("are one user, also with ß and the final sigma", async () => {
    await createUser(auth.deps, { username: "Straße", password });
    await createUser(auth.deps, { username: "Σίσυφος", password });
    for (const name of ["straße", "STRASSE", "STRAẞE", "ΣΊΣΥΦΟΣ"]) expect(await statusOf(name)).toBe(200);
    await expectRefused(createUser(auth.deps, { username: "strasse", password }), "username_taken");
    await expectRefused(createUser(auth.deps, { username: "σίσυφοσ", password }), "username_taken");
  });
});

describe("the users of tokenpair 0.1", () => {
  it("log in before and after their keys are updated, then in every spelling", async () => {
    const id = await createFormerUser("Straße");
    expect([await statusOf("straße"), await statusOf("STRASSE")]).toEqual([200, 401]);
    await expectRefused(createUser(auth.deps, { username: "STRAßE", password }), "username_taken");
    expect(await updateUsernameKeys(auth.deps)).toEqual({ replaced: 1, collisions: [] });
    expect([await idOf("straße"), await idOf("STRASSE")]).toEqual([id, id]);
    await expectRefused(createUser(auth.deps, { username: "strasse", password }), "username_taken");
    expect(await updateUsernameKeys(auth.deps)).toEqual({ replaced: 0, collisions: [] });
  });

  it("keep their names if two differ only in case now, and can be changed and imported again", async () => {
    const [first, second] = [await createFormerUser("straße"), await createFormerUser("strasse")];
    const { replaced, collisions } = await updateUsernameKeys(auth.deps);
    expect(replaced).toBe(0);
    expect(collisions).toMatchObject([{ user: { id: first }, other: { id: second } }]);
    expect([await idOf("Straße"), await idOf("STRASSE")]).toEqual([first, second]);
    expect([await statusOf("straße"), await statusOf("strasse")]).toEqual([200, 200]);
    await updateUser(auth.deps, first, { username: "Straße", email: "a@example.org" });
    const rest = {
      email: null,
      passwordHash: null,
      isActive: true,
      role: null,
      createdAt: null,
      lastLoginAt: null,
    };
    const again = [
      { id: first, username: "straße", ...rest },
      { id: second, username: "strasse", ...rest },
    ];
    expect(await createUserImport(auth.deps)(again)).toEqual([{ outcome: "same" }, { outcome: "same" }]);
    await updateUser(auth.deps, second, { username: "gasse" });
    expect(await updateUsernameKeys(auth.deps)).toEqual({ replaced: 1, collisions: [] });
  });

  it("keep their keys if usernames are case-sensitive", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: { usernameCaseSensitive: true } });
    await createUser(auth.deps, { username: "straße", password });
    expect(await updateUsernameKeys(auth.deps)).toEqual({ replaced: 0, collisions: [] });
    expect([await statusOf("straße"), await statusOf("strasse")]).toEqual([200, 401]);
  });
});
