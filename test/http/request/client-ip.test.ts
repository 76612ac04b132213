import { describe, expect, it } from "vitest";
import { createClientIpFinder } from "../../../src/http/request/client-ip.ts";

const trustedProxies = ["10.0.0.0/8", "2001:db8:aaaa::/48"];
const proxy = "10.0.0.1";

describe("the client's address", () => {
  const find = (value: string | undefined, socket: string | undefined = proxy, proxies = trustedProxies) =>
    createClientIpFinder({ trustedProxies: proxies, forwardedHeader: "X-Forwarded-For" })(
      new Headers(value === undefined ? {} : { "X-Forwarded-For": value, Forwarded: "for=9.9.9.9" }),
      socket,
    );

  it("is the socket's, whatever a header says, unless a trusted proxy sent it", () => {
    expect(find("203.0.113.1", "192.0.2.1")).toBe("192.0.2.1");
    expect(find("203.0.113.1", proxy, [])).toBe(proxy);
    expect(find("10.0.0.9, 203.0.113.1", "2001:db8::1")).toBe("2001:db8::1");
    expect(
      createClientIpFinder({ trustedProxies, forwardedHeader: "Forwarded" })(new Headers(), undefined),
    ).toBeUndefined();
  });

  it("is the right-most one that is no proxy's: what a client wrote before it counts for nothing", () => {
    expect(find("203.0.113.1")).toBe("203.0.113.1");
    expect(find("127.0.0.1, 198.51.100.1, 203.0.113.1")).toBe("203.0.113.1");
    expect(find("198.51.100.1, 203.0.113.1, 10.0.0.7, 10.0.0.8")).toBe("203.0.113.1");
    expect(find("198.51.100.1,203.0.113.1", "::ffff:10.0.0.1")).toBe("203.0.113.1");
    expect(find("2001:db8::7", "2001:db8:aaaa::1")).toBe("2001:db8::7");
  });

  it("is the first proxy's, where all are trusted", () => {
    expect(find("10.0.0.3, 10.0.0.2")).toBe("10.0.0.3");
    expect(find(undefined)).toBe(proxy);
    expect(find("")).toBe(proxy);
  });

  it("is the address of the last hop that is known, where an entry is none", () => {
    expect(find("203.0.113.1, unknown")).toBe(proxy);
    expect(find("203.0.113.1, , 10.0.0.2")).toBe("10.0.0.2");
    expect(find("198.51.100.1, garbage, 203.0.113.1")).toBe("203.0.113.1");
    expect(find(`${"1,".repeat(5_000)}203.0.113.1`)).toBe("203.0.113.1");
  });

  it("may come with a port, and in brackets", () => {
    expect(find("203.0.113.1:4711")).toBe("203.0.113.1");
    expect(find("[2001:db8::1]:4711")).toBe("2001:db8::1");
    expect(find("[2001:db8::1]")).toBe("2001:db8::1");
    expect(find("::ffff:203.0.113.1")).toBe("203.0.113.1");
    expect(find("[2001:db8::1")).toBe(proxy);
  });

  it("is read from every header of the name, in order", () => {
    const headers = { "x-forwarded-for": ["198.51.100.1", "203.0.113.1"] };
    expect(createClientIpFinder({ trustedProxies, forwardedHeader: "X-Forwarded-For" })(headers, proxy)).toBe(
      "203.0.113.1",
    );
  });
});

describe("the client's address in Forwarded", () => {
  const find = (value: string) =>
    createClientIpFinder({ trustedProxies, forwardedHeader: "Forwarded" })(
      new Headers({ Forwarded: value, "X-Forwarded-For": "9.9.9.9" }),
      proxy,
    );

  it.each([
    ["for=203.0.113.1", "203.0.113.1"],
    ['For="203.0.113.1:4711";proto=https;by=10.0.0.1', "203.0.113.1"],
    ['proto=https; for="[2001:db8::1]:4711"', "2001:db8::1"],
    ["for=198.51.100.1, for=203.0.113.1;proto=https, for=10.0.0.2", "203.0.113.1"],
    // A client's open quote does not swallow what the proxy wrote.
    ['for="198.51.100.1, for=203.0.113.1', "203.0.113.1"],
    ["for=198.51.100.1;for=203.0.113.1", proxy],
    ["for=_hidden", proxy],
    ["for=unknown", proxy],
    ["proto=https", proxy],
    ["203.0.113.1", proxy],
    ['for="203.0.113.1', proxy],
  ])("in %s is %s", (value, address) => {
    expect(find(value)).toBe(address);
  });
});
