import { describe, expect, it } from "vitest";
import { readConfiguration } from "./page.ts";
import { proxies } from "./proxies.ts";

describe.each(proxies.map(({ name }) => name))("the configuration of %s in docs/behind-a-proxy.md", (name) => {
  it.each([
    ["at the root", ""],
    ["below a prefix", " prefix"],
  ])("can be tried %s with the ports and the certificate of a test", (_, kind) => {
    const text = readConfiguration(`${name}${kind}`, { port: 8443, nodes: [8001], pem: "/tmp/localhost.pem" });
    expect(text).toMatch(/localhost\.(?:crt|pem)/);
    expect(text).toMatch(/\b8443\b/);
    expect(text).toMatch(/127\.0\.0\.1:8001\b/);
    expect(text).not.toMatch(/example\.com|\/etc\/|:8000\b/);
  });
});

describe.each(proxies.filter(({ name }) => name !== "apache").map(({ name }) => name))(
  "the configuration of %s in docs/proxies-auth.md",
  (name) => {
    it("can be tried with the ports and the certificate of a test", () => {
      const places = { port: 8443, nodes: [8001], app: 3001, pem: "/tmp/localhost.pem" };
      const text = readConfiguration(`${name} check`, places);
      for (const pattern of [/localhost\.(?:crt|pem)/, /\b8443\b/, /127\.0\.0\.1:8001\b/, /127\.0\.0\.1:3001\b/]) {
        expect(text).toMatch(pattern);
      }
      expect(text).not.toMatch(/example\.com|\/etc\/|:8000\b|:3000\b/);
    });
  },
);
