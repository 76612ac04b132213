import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPasswordHasher } from "../../../src/crypto/passwords.ts";
import { login } from "../../../src/flows/login.ts";
import { createUserImport, type ForeignUser } from "../../../src/flows/users/import-users.ts";
import { createTestAuth, type TestAuth, testStart } from "../../support/auth.ts";

let auth: TestAuth;

beforeEach(async () => {
  auth = await createTestAuth();
  auth.events.length = 0;
});
afterEach(() => auth.close());

function foreign(username: string, changes: Partial<ForeignUser> = {}): ForeignUser {
  const flags = { isActive: true, role: null };
  return { username, email: null, passwordHash: null, ...flags, createdAt: null, lastLoginAt: null, ...changes };
}

const refusal = (reason: RegExp) => ({ outcome: "refused", reason: expect.stringMatching(reason) });

describe("createUserImport", () => {
  it("imports users who can log in with the password that they had", async () => {
    const passwordHash = await auth.passwords.hash("the password they had");
    const importUsers = createUserImport(auth.deps);
    expect(await importUsers([foreign(" Bob ", { id: "70", passwordHash })])).toEqual([{ outcome: "created" }]);
    const { user } = await login(auth.deps, { username: "bob", password: "the password they had" });
    expect(user).toMatchObject({ id: "70", username: "Bob" });
  });

  it.each([null, "", "!", "!kept for a reset"])(
    "imports a user without a password if the hash is %j",
    async (passwordHash) => {
      await createUserImport(auth.deps)([foreign("bob", { id: "70", passwordHash })]);
      expect(await auth.store.users.findById("70")).toMatchObject({ username: "bob", passwordHash: null });
    },
  );

  it("answers for each user in order, and imports those without a fault", async () => {
    const answers = await createUserImport(auth.deps)([
      foreign("bob", { id: "70" }),
      foreign("carol", { id: "with space" }),
      foreign("alice", { id: "71" }),
      foreign("dave", { id: "72", passwordHash: "hunter2" }),
      foreign("erin", { id: "70" }),
      foreign("bob", { id: "70" }),
      foreign("frank"),
    ]);
    expect(answers).toEqual([
      { outcome: "created" },
      refusal(/^An id has /),
      refusal(/^The name alice is taken by the user with the id 1\.$/),
      refusal(/^The stored hash has an unknown format/),
      refusal(/^The id 70 belongs to a user with a different name\.$/),
      { outcome: "same" },
      { outcome: "created" },
    ]);
    expect(JSON.stringify(answers)).not.toContain("hunter2");
  });

  it("imports hashes in Django's formats, and MD5 only if the setting accepts it", async () => {
    const md5 = "md5$abcdefghijkl$0123456789abcdef0123456789abcdef";
    const pbkdf2 = "pbkdf2_sha256$600000$abcdefghijkl$ESUkIq3XvMIs+R/ZmdQSkE1EDQIVk18SzognBfgBuPQ=";
    const users = [
      foreign("bob", { id: "70", passwordHash: md5 }),
      foreign("carol", { id: "71", passwordHash: pbkdf2 }),
    ];
    expect(await createUserImport(auth.deps)(users)).toEqual([refusal(/is MD5/), { outcome: "created" }]);
    expect(await auth.store.users.findById("71")).toMatchObject({ passwordHash: pbkdf2 });
    const lenient = { ...auth.deps, settings: { ...auth.deps.settings, acceptMd5PasswordHashes: true } };
    expect(await createUserImport(lenient)(users)).toEqual([{ outcome: "created" }, { outcome: "same" }]);
  });

  it("imports a peppered hash only if its pepper is configured", async () => {
    const passwordPeppers = ["old:a pepper of another installation".replaceAll(" ", "-")];
    const theirs = createPasswordHasher({ passwordMemoryCost: 64, passwordTimeCost: 1, passwordPeppers });
    const users = [foreign("bob", { id: "70", passwordHash: await theirs.hash("the password they had") })];
    expect(await createUserImport(auth.deps)(users)).toEqual([refusal(/needs a pepper/)]);
    const withPepper = { ...auth.deps, settings: { ...auth.deps.settings, passwordPeppers } };
    expect(await createUserImport(withPepper)(users)).toEqual([{ outcome: "created" }]);
  });

  it("emits user_changed for each user that it creates, and for no other", async () => {
    const client = { actor: "cli/root" };
    await createUserImport(auth.deps, { client })([foreign("bob", { id: "70", createdAt: 5 }), foreign("alice")]);
    const time = testStart;
    expect(auth.events).toEqual([{ type: "user_changed", time, userId: "70", change: "imported", client }]);
  });

  it.each<[string, Partial<ForeignUser>, RegExp]>([
    ["an empty id", { id: "" }, /^An id/],
    ["a line end in the id", { id: "7\n" }, /^An id/],
    ["NUL in the id", { id: "7\0" }, /^An id/],
    ["half a surrogate pair in the id", { id: "7\ud800" }, /^An id/],
    ["an id of 129 characters", { id: "7".repeat(129) }, /^An id/],
    ["a blank name", { username: " " }, /^A username may not be blank/],
    ["NUL in the name", { username: "b\0b" }, /^A username has no control/],
    ["half a surrogate pair in the name", { username: "b\udc00b" }, /^A username has no control/],
    ["a name of 151 characters", { username: "b".repeat(151) }, /^A username has at most 150/],
    ["an email address of 255 characters", { email: "e".repeat(255) }, /^An email address/],
    ["a line end in the email address", { email: "a@b\r\nBcc: c@d" }, /^An email address/],
    [
      "a hash that would stall the server",
      { passwordHash: "$argon2id$v=19$m=4194304,t=9,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA" },
      /^The stored hash/,
    ],
  ])("refuses a user with %s", async (_, changes, reason) => {
    const answers = await createUserImport(auth.deps)([foreign("bob", changes)]);
    expect(answers).toEqual([refusal(reason)]);
    expect(await auth.store.users.findByKey("bob")).toBeNull();
  });
});

describe("createUserImport with dryRun", () => {
  it("returns the answers of an import over several batches, and changes nothing", async () => {
    const batches = [
      [foreign("bob", { id: "70" }), foreign("carol", { id: "71" }), foreign("alice")],
      [foreign("bob", { id: "70" }), foreign("dave", { id: "71" }), foreign("Carol", { id: "72" }), foreign("carol")],
      [foreign("dave", { id: "73" }), foreign("dave", { id: "73" }), foreign("erin", { id: "1" })],
    ];
    const rehearse = createUserImport(auth.deps, { dryRun: true });
    const rehearsed = [];
    for (const batch of batches) rehearsed.push(await rehearse(batch));
    expect(await auth.store.users.list({ limit: 10 })).toEqual([auth.user]);
    expect(auth.events).toEqual([]);
    const importUsers = createUserImport(auth.deps);
    const imported = [];
    for (const batch of batches) imported.push(await importUsers(batch));
    expect(rehearsed).toEqual(imported);
  });
});
