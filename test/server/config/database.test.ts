import { describe, expect, it } from "vitest";
import { parseDatabaseUrl } from "../../../src/server/config/database.ts";

describe("parseDatabaseUrl", () => {
  it.each([
    ["sqlite:./data/tokenpair.db", "/home/app/data/tokenpair.db"],
    ["sqlite:tokenpair.db", "/home/app/tokenpair.db"],
    ["sqlite:/var/lib/tokenpair.db", "/var/lib/tokenpair.db"],
    ["sqlite:///var/lib/tokenpair.db", "/var/lib/tokenpair.db"],
    ["sqlite::memory:", null],
  ])("parses %s as the file %s", (url, path) => {
    expect(parseDatabaseUrl(url, "/home/app").path).toBe(path);
  });

  it.each([
    "postgres://app:hunter2@db.example:5433/app",
    "postgresql://app:hunter2@db.example:5433/app?sslmode=verify-full",
  ])("labels %s with server and database, but without the password", (url) => {
    const database = parseDatabaseUrl(url, "/home/app");
    expect(database).toEqual({ label: "PostgreSQL db.example:5433/app", path: null, postgresUrl: url });
  });

  it.each([
    ["tokenpair.db", "must be sqlite: and a path"],
    ["sqlite:", "must be sqlite: and a path"],
    ["sqlite://data/tokenpair.db", "must be sqlite: and a path"],
    ["sqlite:./a.db?mode=ro", "must be sqlite: and a path"],
    ["mysql://localhost/x", "must be sqlite: and a path"],
    ["postgres://app:hunter2@/x@db:port/app", "is not a valid URL"],
    ["postgres://app:12/hunter2@db/app", "is not a valid URL"],
  ])("refuses %s without quoting its password", (url, reason) => {
    expect(() => parseDatabaseUrl(url, "/")).toThrow(reason);
    expect(() => parseDatabaseUrl(url, "/")).toThrow(expect.not.stringContaining("hunter2"));
  });
});
