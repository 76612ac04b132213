import { describe, expect, it } from "vitest";
import { toFieldNames, toForeignUser } from "../../../src/cli/import/user-fields.ts";

function parse(record: Record<string, unknown>, usernameField = "username") {
  const fields = new Map(Object.entries(record));
  return toForeignUser(fields, toFieldNames(fields, usernameField));
}

const alice = { username: "alice", email: null, passwordHash: null, isActive: true, role: null };
const noTimes = { createdAt: null, lastLoginAt: null };

describe("toForeignUser", () => {
  it("needs only a username", () => {
    expect(parse({ username: "alice" })).toEqual({ ...alice, ...noTimes });
    const empty = { id: "", email: "", hash: "", created: "", last_login: null };
    expect(parse({ username: "alice", ...empty })).toEqual({ ...alice, ...noTimes });
  });

  it("finds fields by Django's names and by ours, and prefers ours", () => {
    const times = { createdAt: 1_577_836_800, lastLoginAt: 1_609_459_200 };
    const user = { ...alice, id: "7", email: "a@example.org", passwordHash: "a hash", role: "viewer", isActive: false };
    const rest = { id: 7, username: "alice", email: "a@example.org" };
    const django = { ...rest, password: "a hash", is_active: false, is_staff: true, is_superuser: false };
    expect(parse({ ...django, date_joined: "2020-01-01T00:00:00Z", last_login: "2021-01-01" })).toEqual({
      ...user,
      ...times,
    });
    const ours = { ...rest, hash: "a hash", password: "not this", active: false, staff: true };
    expect(parse({ ...ours, created: 1_577_836_800, last_login: 1_609_459_200 })).toEqual({ ...user, ...times });
  });

  it("makes a superuser of Django an admin", () => {
    expect(parse({ username: "alice", is_staff: false, is_superuser: true })).toMatchObject({ role: "admin" });
  });

  it.each([
    ["support", "support"],
    ["", "viewer"],
    [null, "viewer"],
  ])("lets the role %j decide before Django's flags", (role, expected) => {
    expect(parse({ username: "alice", role, is_staff: true })).toMatchObject({ role: expected });
  });

  it("takes the username from another field if it is the login field", () => {
    const record = { username: "a", email: "a@example.org" };
    expect(parse(record, "email")).toMatchObject({ username: "a@example.org", email: "a@example.org" });
  });

  it.each([
    ["2020-02-29T12:34:56.789Z", 1_582_979_696],
    ["2020-02-29 12:34:56.789+00", 1_582_979_696],
    ["2020-02-29 12:34:56", 1_582_979_696],
    ["2020-02-29T14:04:56+0130", 1_582_979_696],
    ["2020-02-29T04:34:56-08:00", 1_582_979_696],
    ["2020-02-29T12:34", 1_582_979_640],
    ["2020-02-29", 1_582_934_400],
    ["1582979696", 1_582_979_696],
    [1_582_979_696, 1_582_979_696],
    [0, 0],
  ])("reads the time %j", (joined, createdAt) => {
    expect(parse({ username: "alice", joined })).toMatchObject({ createdAt });
  });

  it.each([true, 1, "1", "t", "TRUE", "yes"])("reads %j as true", (active) => {
    expect(parse({ username: "alice", active, staff: active })).toMatchObject({ isActive: true, role: "viewer" });
  });
});

describe("toForeignUser refuses a user", () => {
  const time = /must be a time such as/;
  it.each([
    ["username", undefined, "username is missing"],
    ["username", null, "username must be text"],
    ["username", 7, "username must be text"],
    ["username", ["alice"], "username must be text"],
    ["id", 1.5, "id must be text or a whole number"],
    ["id", 2 ** 53, "id must be"],
    ["id", Number.POSITIVE_INFINITY, "id must be"],
    ["id", true, "id must be"],
    ["id", { $oid: "1" }, "id must be"],
    ["email", 7, "email must be text"],
    ["password", { plain: "secret" }, "password must be text"],
    ["active", null, "active must be true or false"],
    ["active", "", "active must be true or false"],
    ["role", "root", "role must be viewer, support, admin or empty"],
    ["is_staff", "perhaps", "is_staff must be true or false"],
    ["is_superuser", 2, "is_superuser must be true or false"],
    ["date_joined", "yesterday", time],
    ["date_joined", "2021-02-29", time],
    ["date_joined", "2021-01-01T24:00:00Z", time],
    ["date_joined", "2021-01-01T12:61:00Z", time],
    ["date_joined", "1969-12-31", time],
    ["last_login", -1, time],
    ["last_login", 1.5, time],
    ["last_login", 1_582_979_696_000, time],
    ["last_login", "99999999999999999999", time],
    ["last_login", {}, time],
  ])("with %s %j, without quoting the value", (name, value, fault) => {
    const user = parse({ username: "alice", [name]: value });
    expect(user).toEqual({ fault: expect.stringMatching(fault) });
    expect(JSON.stringify(user)).not.toContain("secret");
  });
});

it("toForeignUser takes no field from the prototype of a record", () => {
  expect(parse(JSON.parse('{"__proto__": {"username": "root"}}'))).toEqual({ fault: "username is missing." });
});
