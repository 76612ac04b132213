import { describe, expect, it } from "vitest";
import type { Store } from "../../src/core/store/index.ts";
import { createKeks } from "../../src/crypto/keys/key-encryption.ts";
import { retireKey, rotateKeys, rotateSecret } from "../../src/flows/keys/keys.ts";
import { createReadLimit } from "../../src/keys/new-key.ts";
import { createManualTime } from "../support/manual-time.ts";
import { decode, hmacKey, type Installation, kek, openInstallation } from "./nodes.ts";

const options = { keks: createKeks(kek), isImmediate: true, client: {} };
const kidOf = (token: string) => decode(token).header["kid"];

/** A token with this header and nobody's signature. */
const forge = (header: object) => `${Buffer.from(JSON.stringify(header)).toString("base64url")}.e30.AAAA`;
const unknown = () =>
  forge({ alg: "ES256", typ: "JWT", kid: Buffer.alloc(32, crypto.randomUUID()).toString("base64url") });

/** Two nodes that read the feed at different times, the first of which counts its reads of the keys. */
async function startTwo(installation: Installation) {
  let reads = 0;
  const count = (store: Store): Store => ({
    ...store,
    keys: {
      ...store.keys,
      read: () => {
        reads += 1;
        return store.keys.read();
      },
    },
  });
  const one = await installation.start({ keyEncryptionKey: kek }, count);
  await installation.time.advance(0.1);
  const two = await installation.start({ keyEncryptionKey: kek });
  await installation.pass(5);
  return { nodes: [one, two] as const, countReads: () => reads };
}

describe("a key that another node has added a moment ago", () => {
  it.each(["rotate", "retire"])(
    "is known on every node whenever one signs with it after `%s --now`",
    async (command) => {
      const installation = openInstallation();
      const { nodes } = await startTwo(installation);
      const [one, two] = nodes;
      const former = one.keys.current().tokens.access.kid;
      let { refresh } = await one.logIn();
      if (command === "rotate") await rotateKeys(installation.commands(), options);
      else await retireKey(installation.commands(), former, { ...options, signsInRing: true });
      const makers = new Set<unknown>();
      for (let ms = 0; ms < 2_000; ms += 20) {
        await installation.time.advance(0.02);
        for (const [maker, other] of [nodes, [two, one] as const]) {
          const pair = await maker.refresh(refresh);
          ({ refresh } = pair);
          if (kidOf(pair.access) === former) continue;
          makers.add(maker);
          expect(await other.accepts(pair.access), `after ${ms} ms`).toBe(true);
          expect((await other.flows.verify(pair.access)).type).toBe("access");
        }
      }
      expect(makers.size).toBe(2);
    },
  );

  it("is found by the first request that presents it, not by the next read of the feed", async () => {
    const installation = openInstallation();
    const { nodes } = await startTwo(installation);
    const [one, two] = nodes;
    const former = one.keys.current().tokens.access.kid;
    const { refresh } = await one.logIn();
    await retireKey(installation.commands(), former, { ...options, signsInRing: true });
    one.keys.observe({ keysVersion: -1, incarnation: "" });
    await expect.poll(() => one.keys.current().tokens.access.kid).not.toBe(former);
    const { access } = await one.refresh(refresh);
    expect(two.keys.current().tokens.access.kid).toBe(former);
    expect(await two.accepts(access)).toBe(true);
  });

  it("may be one of a new secret: a refresh token of it isn't refused by a node that doesn't know it", async () => {
    const installation = openInstallation();
    const { nodes } = await startTwo(installation);
    const [one, two] = nodes;
    await rotateSecret(installation.commands(), options);
    one.keys.observe({ keysVersion: -1, incarnation: "" });
    await expect.poll(() => one.keys.current().tokens.refresh.kid).toBe("r2");
    const { refresh } = await one.logIn();
    expect(kidOf(refresh)).toBe("r2");
    expect(two.keys.current().tokens.refresh.kid).toBe("r1");
    expect(kidOf((await two.refresh(refresh)).refresh)).toBe("r2");
  });
});

describe("a token of an unknown key", () => {
  it("is refused, and invented ones cause few reads of the database", async () => {
    const { nodes, countReads } = await startTwo(openInstallation());
    const before = countReads();
    for (let i = 0; i < 200; i++) expect(await nodes[0].accepts(unknown())).toBe(false);
    expect(countReads() - before).toBe(20);
  });

  it("causes no read if it names a retired key, or one that tokenpair wouldn't name so", async () => {
    const installation = openInstallation();
    const { nodes, countReads } = await startTwo(installation);
    const { access } = await nodes[0].logIn();
    const [former, more] = [String(kidOf(access)), { ...options, signsInRing: true }];
    await retireKey(installation.commands(), former, more);
    await installation.pass(1);
    const before = countReads();
    for (const kid of [undefined, 7, "", "r", "x".repeat(44), "../../etc/passwd", former]) {
      expect(await nodes[0].accepts(forge({ alg: "ES256", kid }))).toBe(false);
    }
    for (const token of [access, "", ".", "e30.", `${"A".repeat(600)}.e30.AAAA`, "bnVsbA.e30.AAAA"]) {
      expect(await nodes[0].accepts(token)).toBe(false);
    }
    expect(countReads()).toBe(before);
  });

  it("is refused at once by a node without a key ring", async () => {
    const node = await openInstallation().start({ signingKey: hmacKey });
    expect(() => node.flows.authenticate(unknown())).toThrow("no key has the kid");
  });
});

it("the limit of reads counts anew every ten seconds", async () => {
  const time = createManualTime();
  const mayRead = createReadLimit(time.clock);
  const countReads = () => Array.from({ length: 50 }, mayRead).filter(Boolean).length;
  expect([countReads(), countReads()]).toEqual([20, 0]);
  await time.advance(10.1);
  expect(countReads()).toBe(20);
});
