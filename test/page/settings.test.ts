import { describe, expect, it } from "vitest";
import { readSettings } from "../../src/page/settings.ts";

describe("the page's settings", () => {
  it("have the name of the CSRF header that the server has written into the page", () => {
    expect(readSettings({ csrfHeaderName: "X-Token" })).toMatchObject({ csrfHeaderName: "X-Token" });
  });

  it("leave the CSRF header to the client if the server has written none", () => {
    for (const attributes of [{}, { csrfHeaderName: "" }]) {
      expect(readSettings(attributes)).not.toHaveProperty("csrfHeaderName");
    }
  });

  it("have the demonstration only if the server says so", () => {
    expect([{ demo: "on" }, { demo: "off" }, {}].map((attributes) => readSettings(attributes).hasDemo)).toEqual([
      true,
      false,
      false,
    ]);
  });
});
