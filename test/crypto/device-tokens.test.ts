import { describe, expect, it } from "vitest";
import { createDeviceToken, readDeviceToken } from "../../src/crypto/device-tokens.ts";

const key = new Uint8Array(32).fill(1);
const random = (size: number) => new Uint8Array(size).fill(7);

describe("a device token", () => {
  const token = createDeviceToken(key, "alice", random);

  it("is a random id and its signature, and its account can read the id", () => {
    expect(token).toMatch(/^BwcHBwcHBwcHBwcHBwcHBw\.[\w-]{43}$/);
    expect(readDeviceToken(key, "alice", token)).toBe("BwcHBwcHBwcHBwcHBwcHBw");
  });

  it("is different for every device", () => {
    expect(createDeviceToken(key, "alice")).not.toBe(createDeviceToken(key, "alice"));
  });

  it("is refused for another account and with another key", () => {
    expect(readDeviceToken(key, "bob", token)).toBeNull();
    expect(readDeviceToken(new Uint8Array(32).fill(2), "alice", token)).toBeNull();
  });

  it("is refused if a part of the name is moved to the id", () => {
    const [id = "", signature = ""] = token.split(".");
    expect(readDeviceToken(key, `alice","${id}`, `${id}.${signature}`)).toBeNull();
  });

  it.each([
    ["nothing", ""],
    ["no signature", token.slice(0, 22)],
    ["a short signature", token.slice(0, -1)],
    ["a long signature", `${token}A`],
    ["another signature", `${token.slice(0, -2)}${token.endsWith("AA") ? "BA" : "AA"}`],
    ["another id", `A${token.slice(1)}`],
    ["a line break after it", `${token}\n`],
    ["another alphabet", token.replace(".", ".+").slice(0, -1)],
  ])("is refused with %s", (_, text) => {
    expect(readDeviceToken(key, "alice", text)).toBeNull();
  });
});
