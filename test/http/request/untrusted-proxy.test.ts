import { afterEach, describe, expect, it } from "vitest";
import { createTestAuth, type TestAuth } from "../../support/auth.ts";
import { guess, sendFrom } from "../guesses.ts";

let auth: TestAuth;

async function start(trustedProxies: readonly string[]): Promise<void> {
  auth = await createTestAuth({ settings: { trustedProxies } });
}
afterEach(() => auth.close());

const untrustedProxyEvents = () => auth.events.filter(({ type }) => type === "untrusted_proxy");

describe("an untrusted proxy", () => {
  it.each(["127.0.0.1", "::1", "::ffff:172.17.0.1", "192.168.1.4", "100.64.0.1", "fd00::7", "fe80::1%eth0"])(
    "emits one untrusted_proxy event for X-Forwarded-For from %s, which is loopback or private",
    async (ip) => {
      await start(["10.0.0.0/8"]);
      await guess(sendFrom(auth, ip));
      expect(untrustedProxyEvents()).toEqual([]);
      for (let n = 0; n < 2; n++) await guess(sendFrom(auth, ip, "203.0.113.7"));
      const plain = ip.replace(/^::ffff:|%.*$/g, "");
      expect(untrustedProxyEvents()).toEqual([
        { type: "untrusted_proxy", time: auth.clock.now(), ip: plain, header: "X-Forwarded-For" },
      ]);
    },
  );

  it("emits no untrusted_proxy event for a trusted proxy, a public address or a Unix socket", async () => {
    await start(["10.0.0.0/8"]);
    for (const ip of ["10.0.0.1", "203.0.113.9", "2001:db8::1", "unix"]) {
      await guess(sendFrom(auth, ip, "198.51.100.1"));
    }
    expect(untrustedProxyEvents()).toEqual([]);
  });

  it("emits an untrusted_proxy event for the Forwarded header, too", async () => {
    await start([]);
    await sendFrom(auth, "127.0.0.1")("GET", "/api/auth/csrf/", { headers: { Forwarded: "for=203.0.113.7" } });
    expect(untrustedProxyEvents()).toMatchObject([{ ip: "127.0.0.1", header: "Forwarded" }]);
  });
});

describe("a unix socket", () => {
  const unknownAddressEvents = () => auth.events.filter(({ type }) => type === "client_address_unknown");

  it.each([
    [[], false, "203.0.113.7"],
    [["127.0.0.1"], false, "203.0.113.7"],
    [["unix"], true, undefined],
  ] as const)(
    "with trustedProxies %j emits one client_address_unknown event",
    async (trusted, isTrusted, forwarded) => {
      await start(trusted);
      for (let n = 0; n < 2; n++) await guess(sendFrom(auth, "unix", forwarded));
      expect(unknownAddressEvents()).toEqual([{ type: "client_address_unknown", time: auth.clock.now(), isTrusted }]);
    },
  );

  it("emits no client_address_unknown event if a trusted proxy names the client, nor does any other socket", async () => {
    await start(["unix"]);
    await guess(sendFrom(auth, "unix", "203.0.113.7"));
    for (const ip of ["203.0.113.9", "closed"]) await guess(sendFrom(auth, ip));
    expect(unknownAddressEvents()).toEqual([]);
  });
});
