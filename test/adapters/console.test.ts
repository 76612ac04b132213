import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { describe, expect, it, onTestFinished } from "vitest";
import * as forExpress from "../../src/adapters/express/index.ts";
import * as forFastify from "../../src/adapters/fastify/index.ts";
import * as forHono from "../../src/adapters/hono/index.ts";
import * as forNode from "../../src/adapters/node/index.ts";
import type { Auth } from "../../src/index.ts";
import type { Console } from "../../src/staff/index.ts";
import { createStaffScene } from "../staff/setup.ts";

type Mount = (auth: Auth, staff: Console) => RequestListener | Promise<RequestListener>;

const mounts: readonly (readonly [string, Mount])[] = [
  [
    "node:http",
    (auth, staff) => {
      const handleAuth = forNode.toNodeHandler(auth);
      const handleConsole = forNode.consoleRoutes(staff);
      return (req, res) => {
        if (handleConsole(req, res)) return;
        if (auth.handles(req)) void handleAuth(req, res);
        else res.end("own");
      };
    },
  ],
  [
    "Express",
    (auth, staff) =>
      express()
        .use(forExpress.consoleRoutes(staff), forExpress.authRoutes(auth))
        .use((_req, res) => void res.send("own")),
  ],
  [
    "Express behind a body parser",
    (auth, staff) =>
      express()
        .use(express.json(), forExpress.consoleRoutes(staff), forExpress.authRoutes(auth))
        .use((_req, res) => void res.send("own")),
  ],
  [
    "Fastify",
    async (auth, staff) => {
      const app = fastify();
      await app.register(forFastify.authRoutes(auth));
      await app.register(forFastify.consoleRoutes(staff));
      app.all("/own", async () => "own");
      await app.ready();
      return (req, res) => app.routing(req, res);
    },
  ],
  [
    "Hono",
    (auth, staff) => {
      const app = new Hono()
        .use(forHono.consoleRoutes(staff), forHono.authRoutes(auth))
        .all("/own", (c) => c.text("own"));
      return getRequestListener(app.fetch);
    },
  ],
];

describe.each(mounts)("consoleRoutes on %s", (_, mount) => {
  it("answers the staff API, and leaves every other path to the application", async () => {
    const scene = await createStaffScene();
    onTestFinished(() => scene.close());
    const ada = await scene.addUser("ada", "admin");
    const server = createServer(await mount(scene.auth, scene.staff));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const headers = { Authorization: `Bearer ${ada.access}` };
    const me = await fetch(`${url}/api/admin/me/`, { headers });
    expect([me.status, await me.json()]).toEqual([200, expect.objectContaining({ username: "ada", role: "admin" })]);
    expect((await fetch(`${url}/api/admin/users/?search=ad`, { headers })).status).toBe(200);
    expect((await fetch(`${url}/api/admin/nothing/`, { headers })).status).toBe(404);
    expect((await fetch(`${url}/api/admin/me/`)).status).toBe(401);
    expect((await fetch(`${url}/api/auth/me/`, { headers })).status).toBe(200);
    expect(await (await fetch(`${url}/own`, { headers })).text()).toBe("own");
    const exported = await fetch(`${url}/api/admin/audit/export/?format=csv`, { headers });
    expect((await exported.text()).split("\r\n")[0]).toContain('"username"');
  });
});
