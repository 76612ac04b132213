import { describe, expect, it } from "vitest";
import {
  type Address,
  isInNetworks,
  isNetwork,
  isPrivateAddress,
  parseAddress,
  parseNetwork,
  toClientNetwork,
} from "../../src/core/addresses.ts";

describe("parseAddress", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:201", "192.0.2.1"],
    ["2001:DB8::1", "2001:db8::1"],
    ["2001:0db8:0:0:0:0:0:1", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
  ])("parses %s as the address %s", (text, address) => {
    expect(parseAddress(text)?.toString()).toBe(address);
  });

  it.each([
    "",
    " 192.0.2.1",
    "192.0.2",
    "192.0.2.256",
    "0300.0.2.1",
    "192.0.2.01",
    "0xc0000201",
    "3221225985",
    "192.0.2.1:80",
    "[::1]",
    "::1::",
    "::12345",
    "unknown",
    "%",
    "1%eth0",
  ])("returns null for %j", (text) => {
    expect(parseAddress(text)).toBeNull();
  });
});

describe("isNetwork and parseNetwork", () => {
  it.each(["10.0.0.0/8", "0.0.0.0/0", "192.0.2.1", "192.0.2.1/32", "2001:db8::/32", "::1", "::/0", "fd00::/8"])(
    "accept %s as a network",
    (text) => {
      expect(isNetwork(text)).toBe(true);
    },
  );

  it.each([
    "10.0.0.1/8",
    "10/8",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "10.0.0.0/8 ",
    "2001:db8::1/32",
    "::/129",
    "::ffff:10.0.0.0/104",
    "fe80::1%eth0",
    "loopback",
    "*",
    "",
    7,
    null,
  ])("refuse %j as a network", (text) => {
    expect(isNetwork(text)).toBe(false);
  });

  it("find only addresses of the network's family that begin with its prefix", () => {
    const networks = ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"]
      .map(parseNetwork)
      .filter((network) => network !== null);
    const isFound = (text: string) => {
      const address = parseAddress(text);
      return address !== null && isInNetworks(address, networks);
    };
    expect(["10.255.0.1", "::ffff:10.1.1.1", "2001:db8:ffff::1", "192.0.2.1"].map(isFound)).toEqual(
      Array(4).fill(true),
    );
    expect(["11.0.0.1", "2001:db9::1", "192.0.2.2", "::a00:1", "::1"].map(isFound)).toEqual(Array(5).fill(false));
  });
});

describe("isPrivateAddress", () => {
  it.each(["127.0.0.1", "10.1.2.3", "192.168.0.1", "100.64.0.1", "169.254.1.1", "::1", "fd00::1", "fe80::1"])(
    "returns true for %s",
    (text) => {
      expect(isPrivateAddress(parseAddress(text) as Address)).toBe(true);
    },
  );

  it.each(["192.0.2.1", "8.8.8.8", "2001:4860::1", "::ffff:8.8.8.8"])("returns false for %s", (text) => {
    expect(isPrivateAddress(parseAddress(text) as Address)).toBe(false);
  });
});

describe("toClientNetwork", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:0:1:aaaa::1", "2001:db8:0:1::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["/run/socket", "/run/socket"],
  ])("maps the client address %s to %s", (text, network) => {
    expect(toClientNetwork(text)).toBe(network);
  });
});
