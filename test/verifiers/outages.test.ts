import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { hasLongTests } from "../support/long-tests.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { type Asked, createDelays, report, untilStatus } from "./delays.ts";
import { fillFeed, type Issuers, openIssuers, toSessionId } from "./issuers.ts";
import { findMissing, startService, type VerifyingService } from "./services.ts";

/** Seconds for which the services are cut off; `npm run proof -- verifiers` sets them. */
const cuts = (process.env["TOKENPAIR_CUTS"] ?? "3").split(",").map(Number);

/** Seconds. */
const maxStaleness = 10;

const minute = 60_000;

/** Milliseconds within which everything must work again, however busy the machine is. */
const bound = 30_000;

const kinds = [
  ["node", "stream"],
  ["node", "poll"],
  ["node", "pull"],
  ["deno", "stream"],
  ["bun", "stream"],
  ["python", "stream"],
  ["workerd", "pull"],
] as const;

describe.runIf(hasLongTests)("a service without a database", () => {
  let issuers: Issuers;
  /** The least bytes of a frame with every revocation. */
  let fullLength: number;
  /** Between the services and a server. */
  let wire: TcpProxy;

  beforeAll(async () => {
    issuers = await openIssuers({ maxStaleness });
    fullLength = await fillFeed(issuers);
  }, 5 * minute);
  afterAll(() => issuers?.close(), 5 * minute);

  async function openWire(n = 0): Promise<TcpProxy> {
    wire = await startTcpProxy(issuers.servers[n]?.server.port ?? 0);
    onTestFinished(wire.close);
    return wire;
  }

  async function startServices(): Promise<readonly VerifyingService[]> {
    const { credential } = issuers;
    const url = `http://127.0.0.1:${wire.port}`;
    const available = kinds.filter(([runtime]) => findMissing(runtime) === null);
    return Promise.all(
      available.map(async ([runtime, reads]) => {
        const service = await startService(runtime, { reads, url, credential, maxStaleness });
        onTestFinished(service.stop);
        return service;
      }),
    );
  }

  const areAll = (services: readonly Asked[], access: string, status: number, meanwhile: readonly number[]) =>
    Promise.all(services.map((one) => untilStatus(one, access, status, meanwhile)));

  it.each(cuts)(
    "that is cut off for %d s refuses with 503 when its knowledge is too old, and never forgets a logout",
    async (seconds) => {
      const { logIn, nodes } = issuers;
      await openWire();
      const services = await startServices();
      const [live, out] = [await logIn(), await logIn()];
      for (const { access } of [live, out]) await areAll(services, access, 200, [503]);

      wire.cut();
      const cutAt = performance.now();
      await nodes.auth.sessions.revoke(toSessionId(out), { confirmed: false });
      const stale = createDelays();
      await Promise.all(
        services.map(async (service) => {
          let isStale = false;
          while (performance.now() - cutAt < seconds * 1_000) {
            const since = performance.now() - cutAt;
            const status = await service.ask(live.access);
            expect([200, 503]).toContain(status);
            // What it knows is older than the cut.
            if (since > maxStaleness * 1_000) expect([service.name, since, status]).toEqual([service.name, since, 503]);
            if (status === 503 && !isStale) stale.add(service.name, performance.now() - cutAt);
            isStale ||= status === 503;
            await sleep(20);
          }
        }),
      );
      wire.mend();
      const mendedAt = performance.now();
      const recovered = createDelays();
      await Promise.all(
        services.map(async (service) => {
          recovered.add(service.name, (await untilStatus(service, out.access, 401, [200, 503])) - mendedAt);
          await untilStatus(service, live.access, 200, [503]);
        }),
      );
      const names = stale.names();
      if (seconds > maxStaleness + 1) expect(names).toHaveLength(services.length);
      if (names.length > 0) report(`cut of ${seconds} s: 503 after ${stale.toFigures()}`);
      report(`cut of ${seconds} s: the logout known after the cut: ${recovered.toFigures()}`);
      expect(recovered.longest()).toBeLessThan(bound);
    },
    10 * minute,
  );

  it(
    "goes on after its issuer was killed and started again, from where it was",
    async () => {
      const { servers, logIn, nodes } = issuers;
      await openWire(1);
      const services = await startServices();
      const [live, out] = [await logIn(), await logIn()];
      for (const { access } of [live, out]) await areAll(services, access, 200, [503]);
      const readBytes = async () => {
        const known = services.filter(({ name }) => name !== "python stream");
        return new Map(
          await Promise.all(known.map(async ({ name, status }) => [name, (await status()).bytes] as const)),
        );
      };
      const before = await readBytes();

      await servers[1]?.server.kill();
      await nodes.auth.sessions.revoke(toSessionId(out), { confirmed: false });
      await sleep(2_000);
      await servers[1]?.restart();
      const startedAt = performance.now();
      const delays = createDelays();
      await Promise.all(
        services.map(async (service) => {
          delays.add(service.name, (await untilStatus(service, out.access, 401, [200, 503])) - startedAt);
          await untilStatus(service, live.access, 200, [503]);
        }),
      );
      for (const [name, bytes] of await readBytes()) {
        // All revocations would be more: the cursor holds in the new process.
        expect([name, bytes - (before.get(name) ?? 0) < fullLength]).toEqual([name, true]);
      }
      report(`issuer killed and restarted: a logout meanwhile known after ${delays.toFigures()}, without a full frame`);
      expect(delays.longest()).toBeLessThan(bound);
    },
    5 * minute,
  );

  it(
    "that is started while its issuer is down answers 503, and recovers",
    async () => {
      await openWire();
      wire.cut();
      const services = await startServices();
      const { access } = await issuers.logIn();
      for (let n = 0; n < 5; n += 1) {
        for (const one of services) expect([one.name, await one.ask(access)]).toEqual([one.name, 503]);
        await sleep(200);
      }
      wire.mend();
      const mendedAt = performance.now();
      const delays = createDelays();
      for (const [n, at] of (await areAll(services, access, 200, [503])).entries()) {
        delays.add(services[n]?.name ?? "", at - mendedAt);
      }
      report(`started while the issuer was down: 503, then accepted after ${delays.toFigures()}`);
      expect(delays.longest()).toBeLessThan(bound);
    },
    5 * minute,
  );
});
