import { describe, expect, it } from "vitest";
import { parseDatabaseUrl } from "../../src/server/database.ts";

describe("the database URL", () => {
  it.each([
    ["sqlite:./data/tokenpair.db", "/home/app/data/tokenpair.db"],
    ["sqlite:tokenpair.db", "/home/app/tokenpair.db"],
    ["sqlite:/var/lib/tokenpair.db", "/var/lib/tokenpair.db"],
    ["sqlite:///var/lib/tokenpair.db", "/var/lib/tokenpair.db"],
    ["sqlite::memory:", null],
  ])("reads %s as the file %s", (url, path) => {
    expect(parseDatabaseUrl(url, "/home/app").path).toBe(path);
  });

  it.each([
    ["tokenpair.db", "must be sqlite: and a path"],
    ["sqlite:", "must be sqlite: and a path"],
    ["sqlite://data/tokenpair.db", "must be sqlite: and a path"],
    ["sqlite:./a.db?mode=ro", "must be sqlite: and a path"],
    ["mysql://localhost/x", "must be sqlite: and a path"],
    ["postgres://app:hunter2@db/app", "has no PostgreSQL store yet"],
    ["postgresql://app:hunter2@db/app", "has no PostgreSQL store yet"],
  ])("refuses %s, without repeating it", (url, reason) => {
    expect(() => parseDatabaseUrl(url, "/")).toThrow(reason);
    expect(() => parseDatabaseUrl(url, "/")).toThrow(expect.not.stringContaining("hunter2"));
  });
});
