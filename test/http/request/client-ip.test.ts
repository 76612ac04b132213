import { describe, expect, it } from "vitest";
import { createClientIpFinder } from "../../../src/http/request/client-ip.ts";

const trustedProxies = ["10.0.0.0/8", "2001:db8:aaaa::/48"];
const proxy = "10.0.0.1";

describe("the client's address behind trusted proxies", () => {
  const find = (value: string | undefined, ip = proxy) =>
    createClientIpFinder({ trustedProxies, forwardedHeader: "X-Forwarded-For" })(
      new Headers(value === undefined ? {} : { "X-Forwarded-For": value, Forwarded: "for=9.9.9.9" }),
      { ip },
    );

  it("takes the socket's address if the socket is not a trusted proxy's, whatever X-Forwarded-For says", () => {
    expect(find("203.0.113.1", "192.0.2.1")).toBe("192.0.2.1");
    expect(find("10.0.0.9, 203.0.113.1", "2001:db8::1")).toBe("2001:db8::1");
  });

  it("takes the right-most address of X-Forwarded-For that is not a proxy's, and ignores what a client wrote", () => {
    expect(find("203.0.113.1")).toBe("203.0.113.1");
    expect(find("127.0.0.1, 198.51.100.1, 203.0.113.1")).toBe("203.0.113.1");
    expect(find("198.51.100.1, 203.0.113.1, 10.0.0.7, 10.0.0.8")).toBe("203.0.113.1");
    expect(find("198.51.100.1,203.0.113.1", "::ffff:10.0.0.1")).toBe("203.0.113.1");
    expect(find("2001:db8::7", "2001:db8:aaaa::1")).toBe("2001:db8::7");
  });

  it("takes the left-most address of X-Forwarded-For if all of them are trusted proxies", () => {
    expect(find("10.0.0.3, 10.0.0.2")).toBe("10.0.0.3");
    expect(find(undefined)).toBe(proxy);
    expect(find("")).toBe(proxy);
  });

  it("takes the address of the proxy that wrote an entry that is not an address", () => {
    expect(find("203.0.113.1, unknown")).toBe(proxy);
    expect(find("203.0.113.1, , 10.0.0.2")).toBe("10.0.0.2");
    expect(find("198.51.100.1, garbage, 203.0.113.1")).toBe("203.0.113.1");
    expect(find(`${"1,".repeat(5_000)}203.0.113.1`)).toBe("203.0.113.1");
  });

  it("reads addresses with a port, in brackets, and in IPv4-mapped form", () => {
    expect(find("203.0.113.1:4711")).toBe("203.0.113.1");
    expect(find("[2001:db8::1]:4711")).toBe("2001:db8::1");
    expect(find("[2001:db8::1]")).toBe("2001:db8::1");
    expect(find("::ffff:203.0.113.1")).toBe("203.0.113.1");
    expect(find("[2001:db8::1")).toBe(proxy);
  });

  it("reads all X-Forwarded-For headers of a request, in order", () => {
    const headers = { "x-forwarded-for": ["198.51.100.1", "203.0.113.1"] };
    const findInRecord = createClientIpFinder({ trustedProxies, forwardedHeader: "X-Forwarded-For" });
    expect(findInRecord(headers, { ip: proxy })).toBe("203.0.113.1");
  });

  it("returns undefined if the socket has no address", () => {
    const findForwarded = createClientIpFinder({ trustedProxies, forwardedHeader: "Forwarded" });
    expect(findForwarded(new Headers({ Forwarded: "for=203.0.113.1" }), {})).toBeUndefined();
    expect(findForwarded(new Headers({ Forwarded: "for=203.0.113.1" }))).toBeUndefined();
  });
});

describe("the client's address behind a unix socket", () => {
  const find = (trusted: readonly string[], value?: string, ip = "unix") =>
    createClientIpFinder({ trustedProxies: trusted, forwardedHeader: "X-Forwarded-For" })(
      new Headers(value === undefined ? {} : { "X-Forwarded-For": value }),
      { ip },
    );

  it("is the one that the proxy names, if unix sockets are trusted", () => {
    expect(find(["unix"], "203.0.113.1")).toBe("203.0.113.1");
    expect(find(["unix"], "198.51.100.1, 203.0.113.1")).toBe("203.0.113.1");
    expect(find(["unix", "10.0.0.0/8"], "198.51.100.1, 203.0.113.1, 10.0.0.7")).toBe("203.0.113.1");
  });

  it('is "unix" if unix sockets are not trusted, or if the proxy names none', () => {
    expect(find([], "203.0.113.1")).toBe("unix");
    expect(find(trustedProxies, "203.0.113.1")).toBe("unix");
    expect(find(["unix"])).toBe("unix");
    expect(find(["unix"], "203.0.113.1, unknown")).toBe("unix");
  });

  it("is not trusted for a socket that is no unix socket", () => {
    expect(find(["unix"], "203.0.113.1", "192.0.2.1")).toBe("192.0.2.1");
    expect(find(["unix"], "203.0.113.1", "closed")).toBe("closed");
  });
});

describe("the client's address without trusted proxies", () => {
  const find = (ip: string | undefined) =>
    createClientIpFinder({ trustedProxies: [], forwardedHeader: "X-Forwarded-For" })(
      new Headers({ "X-Forwarded-For": "203.0.113.1" }),
      { ip },
    );

  it("takes the socket's address and ignores X-Forwarded-For if no proxy is trusted", () => {
    expect(find(proxy)).toBe(proxy);
    expect(find("2001:db8::1")).toBe("2001:db8::1");
    expect(find(undefined)).toBeUndefined();
  });

  it("strips the ::ffff: prefix of an IPv4-mapped socket address if no proxy is trusted", () => {
    expect(find("::ffff:192.0.2.1")).toBe("192.0.2.1");
    expect(find("::FFFF:192.0.2.1")).toBe("192.0.2.1");
  });
});

describe("the client's address in Forwarded", () => {
  const find = (value: string) =>
    createClientIpFinder({ trustedProxies, forwardedHeader: "Forwarded" })(
      new Headers({ Forwarded: value, "X-Forwarded-For": "9.9.9.9" }),
      { ip: proxy },
    );

  it.each([
    ["for=203.0.113.1", "203.0.113.1"],
    ['For="203.0.113.1:4711";proto=https;by=10.0.0.1', "203.0.113.1"],
    ['proto=https; for="[2001:db8::1]:4711"', "2001:db8::1"],
    ["for=198.51.100.1, for=203.0.113.1;proto=https, for=10.0.0.2", "203.0.113.1"],
    // A client's open quote does not hide what the proxy wrote.
    ['for="198.51.100.1, for=203.0.113.1', "203.0.113.1"],
    ["for=198.51.100.1;for=203.0.113.1", proxy],
    ["for=_hidden", proxy],
    ["for=unknown", proxy],
    ["proto=https", proxy],
    ["203.0.113.1", proxy],
    ['for="203.0.113.1', proxy],
  ])("reads Forwarded: %s as the address %s", (value, address) => {
    expect(find(value)).toBe(address);
  });
});
