import { afterEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../../src/core/errors.ts";
import type { Settings } from "../../../../src/core/settings/settings.ts";
import type { AuthUser } from "../../../../src/core/user.ts";
import { alice, createTestAuth, type TestAuth } from "../../../support/auth.ts";
import { expectThrottled, guess, guessTimes, sendFrom } from "../../guesses.ts";

let auth: TestAuth;

async function start(settings: Partial<Settings<AuthUser>> = {}): Promise<void> {
  auth = await createTestAuth({ settings });
}
afterEach(() => auth.close());

const from = (ip = "192.0.2.1", forwarded?: string) => sendFrom(auth, ip, forwarded);

describe("a throttled POST /api/token/", () => {
  it("answers 429 with Retry-After after five failed logins, also to the right password", async () => {
    await start();
    expect(await guessTimes(5, () => from())).toEqual(Array(5).fill(401));
    await expectThrottled(await guess(from()), 5);
    auth.clock.advance(3);
    await expectThrottled(await guess(from(), alice), 2);
    auth.clock.advance(2);
    expect((await guess(from(), alice)).status).toBe(200);
  });

  it("answers 503 to every login, right password or wrong, if failed logins can't be counted", async () => {
    await start();
    auth.store.throttle.decide = () => Promise.reject(new StoreUnavailableError("away"));
    const responses = [await guess(from()), await guess(from(), alice)];
    expect(responses.map(({ status }) => status)).toEqual([503, 503]);
  });
});

describe("X-Forwarded-For on POST /api/token/", () => {
  const toAddress = (n: number) => `198.51.100.${n}`;

  it("counts a client's guesses by its socket's address, whatever it writes into X-Forwarded-For", async () => {
    await start({ trustedProxies: ["10.0.0.0/8"] });
    const toSend = (n: number) => from("192.0.2.1", toAddress(n));
    expect(await guessTimes(6, toSend)).toEqual([...Array(5).fill(401), 429]);
  });

  it("counts guesses through a trusted proxy by the address that the proxy wrote", async () => {
    await start({ trustedProxies: ["10.0.0.0/8"] });
    expect(await guessTimes(6, (n) => from("10.0.0.1", toAddress(n)))).toEqual(Array(6).fill(401));
    const toSpoofed = (n: number) => from("10.0.0.1", `${toAddress(n + 50)}, 203.0.113.7`);
    expect(await guessTimes(6, toSpoofed)).toEqual([...Array(5).fill(401), 429]);
    const [event] = auth.events.filter(({ type }) => type === "throttled");
    expect(event).toMatchObject({ client: { ip: "203.0.113.7" } });
  });
});
