import { describe, expect, it } from "vitest";
import { createDeviceToken, openDeviceToken } from "../../src/crypto/device-tokens.ts";

const key = new Uint8Array(32).fill(1);
const random = (size: number) => new Uint8Array(size).fill(7);
const owner = { userId: "u-1", userEpoch: 3, issuedAt: 1_767_225_600 };

describe("a device token", () => {
  const token = createDeviceToken(key, "alice", owner, random);

  it("says to its account which device it is, whose, and since when", () => {
    expect(openDeviceToken(key, "alice", token)).toEqual({ id: "BwcHBwcHBwcHBwcHBwcHBw", ...owner });
  });

  it("can be a cookie with the longest user id there may be", () => {
    const longest = createDeviceToken(key, "alice", { ...owner, userId: "\u{1f40e}".repeat(127) });
    expect(openDeviceToken(key, "alice", longest)?.userId).toHaveLength(254);
    expect(longest).toMatch(/^[\w-]{1,3000}$/);
  });

  it("is different for every device", () => {
    expect(createDeviceToken(key, "alice", owner)).not.toBe(createDeviceToken(key, "alice", owner));
  });

  it("is refused for another account and with another key", () => {
    expect(openDeviceToken(key, "bob", token)).toBeNull();
    expect(openDeviceToken(new Uint8Array(32).fill(2), "alice", token)).toBeNull();
  });

  it("is refused with any of its characters changed, or left out", () => {
    for (let at = 0; at < token.length; at++) {
      const [before, after] = [token.slice(0, at), token.slice(at + 1)];
      const changed = token[at] === "A" ? "B" : "A";
      expect(openDeviceToken(key, "alice", before + changed + after), `changed at ${at}`).toBeNull();
      expect(openDeviceToken(key, "alice", before + after), `without ${at}`).toBeNull();
    }
  });

  it.each([
    ["nothing", ""],
    ["a short text", "AAAA"],
    ["a nonce and a tag alone", "A".repeat(38)],
    ["a token of tokenpair 0.1", `${"A".repeat(22)}.${"B".repeat(43)}`],
    ["a line break after it", `${token}\n`],
    ["padding", `${token}==`],
    ["a long text", "A".repeat(100_000)],
  ])("is refused: %s", (_, text) => {
    expect(openDeviceToken(key, "alice", text)).toBeNull();
  });
});
