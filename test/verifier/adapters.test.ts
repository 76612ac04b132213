import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { afterEach, describe, expect, it } from "vitest";
import { requireUser as requireUserOfExpress } from "../../src/adapters/express/index.ts";
import { requireUser as requireUserOfFastify } from "../../src/adapters/fastify/index.ts";
import { type AuthEnv, requireUser as requireUserOfHono } from "../../src/adapters/hono/index.ts";
import { requireUser as requireUserOfNode } from "../../src/adapters/node/index.ts";
import type { Verifier } from "../../src/verifier/verifier.ts";
import { session } from "./peer.ts";
import { closeVerifiers, setUpReady } from "./set-up.ts";

afterEach(closeVerifiers);

/** Claims that the application of the issuer adds. */
interface ShopClaims {
  readonly shop: string;
}

interface App {
  readonly url: string;
  close(): Promise<unknown>;
}

/** Each answers `GET /` with the user's id, the shop in the token, and the epoch of the user. */
const frameworks: readonly (readonly [string, (verifier: Verifier<ShopClaims>) => Promise<App>])[] = [
  [
    "plain Node",
    (verifier) => {
      const authenticate = requireUserOfNode(verifier);
      return listen(async (req, res) => {
        const claims = await authenticate(req, res);
        if (claims !== null) res.end(`${claims.userId} ${claims.payload.shop} ${claims.userEpoch}`);
      });
    },
  ],
  [
    "Express",
    (verifier) => {
      const app = express();
      app.get("/", requireUserOfExpress(verifier), ({ auth }, res) => {
        res.send(`${auth.userId} ${auth.payload["shop"]} ${auth.userEpoch}`);
      });
      return listen(app);
    },
  ],
  [
    "Fastify",
    async (verifier) => {
      const app = fastify();
      app.decorateRequest("auth");
      app.get("/", { onRequest: requireUserOfFastify(verifier) }, async ({ auth }) => {
        return `${auth.userId} ${auth.payload["shop"]} ${auth.userEpoch}`;
      });
      return { url: await app.listen({ port: 0, host: "127.0.0.1" }), close: () => app.close() };
    },
  ],
  [
    "Hono",
    (verifier) => {
      const app = new Hono<AuthEnv<Verifier<ShopClaims>>>();
      app.get("/", requireUserOfHono(verifier), (c) => {
        const { userId, payload, userEpoch } = c.get("auth");
        return c.text(`${userId} ${payload.shop} ${userEpoch}`);
      });
      return new Promise((resolve) => {
        const options = { fetch: app.fetch, port: 0, hostname: "127.0.0.1", overrideGlobalObjects: false };
        const server = serve(options, ({ port }) => {
          resolve({ url: `http://127.0.0.1:${port}`, close: () => new Promise((done) => server.close(done)) });
        });
      });
    },
  ],
];

describe.each(frameworks)("requireUser with a verifier in %s", (_, start) => {
  it.each(["stream", "pull"] as const)(
    "lets users in, and refuses everybody else, with revocations: %s",
    async (revocations) => {
      const { peer, verifier, time } = await setUpReady({ revocations });
      const app = await start(verifier as unknown as Verifier<ShopClaims>);
      const get = async (token?: string) => {
        const response = await fetch(app.url, {
          headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
        });
        return [response.status, response.headers.get("WWW-Authenticate"), await response.text()];
      };
      try {
        const token = peer.mint({ claims: { shop: "corner" } });
        expect(await get(token)).toEqual([200, null, "42 corner 3"]);
        expect((await get())[1]).toBe('Bearer realm="api"');
        expect((await get(`${token}x`)).slice(0, 2)).toEqual([401, 'Bearer realm="api", error="invalid_token"']);
        await time.advance(1);
        await peer.revoke([["s", session.sessionId]]);
        expect((await get(token))[2]).toContain("Token is blacklisted");
        verifier.close();
        expect((await get(token))[0]).toBe(503);
      } finally {
        await app.close();
      }
    },
  );
});

async function listen(listener: RequestListener): Promise<App> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
