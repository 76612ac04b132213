import { describe, expect, it } from "vitest";
import { SettingError } from "../../../src/core/settings/setting-error.ts";
import { refuseUnknownOptions, requireFunctions, requireOptions } from "../../../src/core/settings/unknown-options.ts";

const known = ["path", "busyTimeout"];

describe("the options of a function", () => {
  it("accepts options that are all known", () => {
    expect(() => refuseUnknownOptions("sqliteStore", { path: "a.db" }, known)).not.toThrow();
    expect(() => requireOptions("sqliteStore", {}, known)).not.toThrow();
  });

  it("refuses an unknown option with the closest name, or else with all names", () => {
    expect(() => refuseUnknownOptions("sqliteStore", { busyTimout: 1 }, known)).toThrow(
      new TypeError("sqliteStore: busyTimout is not an option. Did you mean busyTimeout?"),
    );
    expect(() => requireOptions("sqliteStore", { secure: 1 }, known)).toThrow(
      new TypeError("sqliteStore: secure is not an option. The options are path, busyTimeout."),
    );
  });

  it.each([
    ["others", '"others"'],
    [3, "3"],
    [null, "null"],
  ])("refuses %j in place of an object of options", (options, shown) => {
    expect(() => requireOptions("logout", options, ["scope", "client"])).toThrow(
      new TypeError(`logout: the options must be an object such as { scope, client }, got ${shown}`),
    );
  });

  it("refuses a callback that is not a function", () => {
    expect(() => requireFunctions({ onError: undefined, onLag: () => {} })).not.toThrow();
    expect(() => requireFunctions({ onError: 3 })).toThrow(new SettingError("onError", "must be a function, got 3"));
  });
});
