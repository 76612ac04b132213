import { randomBytes } from "node:crypto";
import { afterEach, expect, it } from "vitest";
import { openNodes } from "../support/nodes.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { chaosFactor } from "./factor.ts";
import { createKeyOperator } from "./key-operator.ts";
import { startKeyTraffic } from "./key-traffic.ts";

const minute = 60_000;

/** Seconds within which a node knows of a change of the keys, or answers 503. */
const maxStaleness = 10;

const keks = ["2026", "2027"].map((id) => `${id}:${randomBytes(32).toString("base64url")}`);
const [keyEncryptionKey, otherFirst] = [keks.join(), keks.toReversed().join()];

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
}, 5 * minute);

it(
  "three nodes refuse no live session while keys are rotated, retired and sealed again",
  async () => {
    const env = {
      TOKENPAIR_MAX_STALENESS: String(maxStaleness),
      TOKENPAIR_MAX_SESSIONS_PER_USER: "none",
      TOKENPAIR_LOG_LEVEL: "silent",
    };
    const nodes = await openNodes({ database: "PostgreSQL", servers: 3, env, keyEncryptionKey });
    closing.push(nodes.close);
    const credentials = { username: "alice", password: "correct horse battery staple" };
    await nodes.addUser(credentials.username, credentials.password);
    const urls = nodes.servers.map(({ url }) => url);
    const traffic = startKeyTraffic(urls, credentials, 4);
    closing.push(traffic.stop);
    const operator = await createKeyOperator(nodes, { traffic, urls, bound: maxStaleness });

    let servers = nodes.servers;
    for (let round = 0; round < chaosFactor; round++) {
      const [victim, ...others] = servers as readonly [ServerProcess, ...ServerProcess[]];
      await operator.rotate();
      await operator.retireOldest();
      const restarted = await operator.whileKilled(victim, async () => {
        await operator.rotateAtOnce();
        await operator.retireSigner(round % 2 === 0);
      });
      servers = [...others, restarted];
      await operator.retireOldestAtOnce();
      await operator.changeTogether(round % 2 === 0 ? otherFirst : keyEncryptionKey);
    }

    await traffic.stop();
    await operator.expectJudgement();
    const { accepted, refused, refreshed, logins, unanswered } = traffic.counts;
    const { changes, retired, slowest } = operator.counts;
    console.log(
      `key rotation: ${changes} commands, ${retired} keys retired and refused on every node after at most ${slowest} ms; ` +
        `${accepted} requests accepted, ${refused} refused for a retired key, ${refreshed} refreshes, ${logins} logins, ` +
        `${unanswered} without an answer, ${traffic.faults.length} false refusals`,
    );
    expect(traffic.faults).toEqual([]);
    for (const count of [accepted, refused, refreshed, logins]) expect(count).toBeGreaterThan(0);
  },
  10 * minute * chaosFactor,
);
