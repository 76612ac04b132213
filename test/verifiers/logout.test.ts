import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Application, startApplication } from "../proxies/application.ts";
import { send } from "../proxies/https.ts";
import { findVersion, proxies, startProxy } from "../proxies/proxies.ts";
import { hasLongTests } from "../support/long-tests.ts";
import { post } from "../support/wire.ts";
import { type Asked, createDelays, report, toLoad, untilStatus } from "./delays.ts";
import { type Issuers, openIssuers, toKid } from "./issuers.ts";
import { findMissing, startService, type VerifyingService } from "./services.ts";

/** How many sessions are logged out; `npm run proof -- verifiers` sets it. */
const logouts = Number(process.env["TOKENPAIR_LOGOUTS"] ?? 5);

/** How many keys are retired. */
const retirements = Math.ceil(logouts / 10);

const minute = 60_000;

/** Milliseconds within which a revocation must be known, however busy the machine is. The figures say how fast it was. */
const bound = 30_000;

/** The services, and which of the two servers they read from. */
const kinds = [
  ["node", "stream", 0],
  ["node", "stream", 1],
  ["deno", "stream", 0],
  ["bun", "stream", 1],
  ["python", "stream", 0],
  ["node", "poll", 1],
  ["node", "pull", 0],
  ["workerd", "pull", 1],
] as const;

const streams = / stream/;

describe.runIf(hasLongTests)("two servers over PostgreSQL, and every kind of service without a database", () => {
  let issuers: Issuers;
  let app: Application;
  const services: VerifyingService[] = [];
  const asked: Asked[] = [];
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    [issuers, app] = await Promise.all([openIssuers(), startApplication()]);
    closing.push(app.close, issuers.close);
    const { servers, credential } = issuers;
    for (const [runtime, reads, n] of kinds) {
      const missing = findMissing(runtime);
      if (missing !== null) {
        console.log(`verifiers: without ${runtime}: ${missing} is missing`);
        continue;
      }
      const service = await startService(runtime, { reads, url: servers[n]?.server.url ?? "", credential });
      closing.push(service.stop);
      services.push(service);
      asked.push(service);
    }
    const nginx = proxies.find(({ name }) => name === "nginx");
    if (nginx === undefined || findVersion(nginx) === null) console.log("verifiers: without nginx: it is missing");
    else {
      const proxy = await startProxy(nginx, " check", { nodes: [servers[0]?.server.port ?? 0], app: app.port });
      closing.push(proxy.stop);
      asked.push({
        name: "nginx check",
        async ask(access) {
          const headers = new Headers({ Authorization: `Bearer ${access}` });
          return (await send(proxy.port, "GET", "/orders", { headers })).status;
        },
      });
    }
  }, 5 * minute);
  afterAll(async () => {
    for (const close of closing.reverse()) await close();
  }, 5 * minute);

  it(
    "refuse the tokens of a session after its logout",
    async () => {
      const { servers, logIn } = issuers;
      const delays = createDelays();
      for (let n = 0; n < logouts; n += 1) {
        const { access, refresh } = await logIn();
        await Promise.all(asked.map((one) => untilStatus(one, access, 200, [503])));
        const url = servers[n % servers.length]?.server.url;
        // On a busy machine, a service may be stale for a while.
        const watches = asked.map(async (one) => ({ one, at: await untilStatus(one, access, 401, [200, 503]) }));
        const answer = await post(`${url}/api/token/blacklist/`, { refresh });
        const answeredAt = performance.now();
        expect(answer.status).toBe(200);
        for (const { one, at } of await Promise.all(watches)) delays.add(one.name, Math.max(0, at - answeredAt));
        // Once refused, never accepted.
        for (const one of asked) await untilStatus(one, access, 401, [503]);
      }
      report(`logout, stream readers: ${delays.toFigures(streams)}, ${toLoad()}`);
      report(`logout, pull readers: ${delays.toFigures(/ pull/)}`);
      for (const name of delays.names()) report(`logout, ${name}: ${delays.toFigures(new RegExp(`^${name}$`))}`);
      expect(delays.longest()).toBeLessThan(bound);
    },
    30 * minute,
  );

  it(
    "refuse the tokens of a key that was retired at once, and none of the next key",
    async () => {
      const { logIn, retireKeyOf } = issuers;
      const delays = createDelays();
      for (let n = 0; n < retirements; n += 1) {
        const retired = await logIn();
        await Promise.all(asked.map((one) => untilStatus(one, retired.access, 200, [503])));
        const watches = asked.map(async (one) => ({
          one,
          at: await untilStatus(one, retired.access, 401, [200, 503]),
        }));
        const committedAt = await retireKeyOf(retired);
        for (const { one, at } of await Promise.all(watches)) delays.add(one.name, Math.max(0, at - committedAt));

        // A verifier that doesn't have the next key yet can't know: 503, which isn't a logout for clients.
        let pair = await logIn();
        while (toKid(pair) === toKid(retired)) pair = await logIn();
        for (const one of asked) await untilStatus(one, pair.access, 200, [503]);
      }
      report(`key retired at once, stream readers: ${delays.toFigures(streams)}, ${toLoad()}`);
      report(`key retired at once, pull readers: ${delays.toFigures(/ pull/)}`);
      report(`key retired at once, ${retirements} times: 0 tokens of the next key refused`);
      expect(delays.longest()).toBeLessThan(bound);
    },
    30 * minute,
  );
});
