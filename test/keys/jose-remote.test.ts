import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import { expect, it, onTestFinished, vi } from "vitest";
import { toNodeHandler } from "../../src/adapters/node/index.ts";
import { createKeks } from "../../src/crypto/keys/key-encryption.ts";
import { retireKey, rotateKeys } from "../../src/flows/keys/keys.ts";
import { createHttpHandler } from "../../src/http/router.ts";
import { decode, type Installation, kek, openInstallation, type TestNode } from "./nodes.ts";

const audience = "api";
const issuer = "https://id.example";
const options = { keks: createKeks(kek), client: {} };

/** Seconds for which jose uses a JWKS without asking again, and within which it asks only once for an unknown key. */
const [cacheMaxAge, cooldown] = [600, 30];

const kidOf = (token: string) => decode(token).header["kid"];

/** Starts a node that answers over HTTP, and a service that verifies with jose and with nothing but the URL of the JWKS. */
async function start() {
  const installation = openInstallation();
  const node = await installation.start({ keyEncryptionKey: kek, issuer, audience });
  const server = createServer(toNodeHandler(createHttpHandler(node.httpDeps)));
  let requests = 0;
  server.on("request", () => {
    requests += 1;
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  vi.useFakeTimers({ toFake: ["Date"], now: installation.time.clock.wall() });
  onTestFinished(() => {
    vi.useRealTimers();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const url = new URL(`http://127.0.0.1:${port}/.well-known/jwks.json`);
  const keys = createRemoteJWKSet(url, { timeoutDuration: 60_000 });
  return {
    node,
    ...createChanges(installation, node),
    verify: async (token: string) => (await jwtVerify(token, keys, { issuer, audience })).protectedHeader.kid,
    countRequests: () => requests,
  };
}

function createChanges(installation: Installation, { keys }: TestNode) {
  const commands = installation.commands();
  const pass = async (seconds: number) => {
    await installation.pass(seconds);
    vi.setSystemTime(installation.time.clock.wall());
  };
  // A key that was made a moment ago signs for a second before the next one does.
  const follow = () => pass(2);
  return {
    pass,
    rotate: (isImmediate: boolean) => rotateKeys(commands, { ...options, isImmediate }).then(follow),
    retireSigner: () => {
      const { kid } = keys.current().tokens.access;
      return retireKey(commands, kid, { ...options, isImmediate: true, signsInRing: true }).then(follow);
    },
  };
}

it("a service with jose and the URL of the JWKS verifies every token through a rotation", async () => {
  const { node, rotate, pass, verify, countRequests } = await start();
  let pair: { readonly access: string; readonly refresh: string } = await node.logIn();
  const former = pair.access;
  expect(await verify(former)).toBe(kidOf(former));
  await rotate(false);
  const signers = new Set<unknown>();
  for (let seconds = 0; seconds < 900; seconds += 15) {
    pair = await node.refresh(pair.refresh);
    signers.add(kidOf(pair.access));
    for (const token of [former, pair.access]) expect(await verify(token)).toBe(kidOf(token));
    await pass(15);
  }
  expect(signers.size).toBe(2);
  // At first, for the new key, and when the cache had expired.
  expect(countRequests()).toBeLessThanOrEqual(3);
});

it("a service with jose refuses a key that was retired at once when its cache has expired, and no other one", async () => {
  const { node, pass, retireSigner, verify } = await start();
  const { access, refresh } = await node.logIn();
  expect(await verify(access)).toBe(kidOf(access));
  await retireSigner();
  expect(await node.accepts(access)).toBe(false);
  // As the command says.
  expect(await verify(access)).toBe(kidOf(access));
  await pass(cacheMaxAge);
  await expect(verify(access)).rejects.toThrow(errors.JWKSNoMatchingKey);
  const next = await node.refresh(refresh);
  expect(await verify(next.access)).toBe(kidOf(next.access));
  expect(kidOf(next.access)).not.toBe(kidOf(access));
});

it("a service with jose knows a key that signs at once when it may ask again, and then refuses retired ones", async () => {
  const { node, pass, rotate, retireSigner, verify } = await start();
  const first = await node.logIn();
  await verify(first.access);
  await rotate(true);
  const second = await node.refresh(first.refresh);
  await expect(verify(second.access)).rejects.toThrow(errors.JWKSNoMatchingKey);
  await pass(cooldown);
  for (const { access } of [second, first]) expect(await verify(access)).toBe(kidOf(access));
  await retireSigner();
  await pass(cooldown);
  const third = await node.refresh(second.refresh);
  expect(await verify(third.access)).toBe(kidOf(third.access));
  await expect(verify(second.access)).rejects.toThrow(errors.JWKSNoMatchingKey);
  expect(await verify(first.access)).toBe(kidOf(first.access));
});
