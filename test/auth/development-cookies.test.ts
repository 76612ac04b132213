import { Hono } from "hono";
import { afterEach, expect, it, vi } from "vitest";
import { requireUser } from "../../src/adapters/hono/index.ts";
import { type AuthNode, addUser, startNode } from "./node.ts";

let node: AuthNode | undefined;

afterEach(async () => {
  vi.unstubAllEnvs();
  await node?.close();
  node = undefined;
});

/** Starts a node. Returns it with a request by a development cookie at localhost. */
async function start(nodeEnv: string) {
  vi.stubEnv("NODE_ENV", nodeEnv);
  node = await startNode();
  const { auth } = node;
  const { access } = await auth.issue(await addUser(auth));
  const headers = { host: "localhost:3000", cookie: `access=${access}` };
  return { auth, headers, socket: { remoteAddress: "::1" } };
}

it("authenticates by development cookies if NODE_ENV is development and the socket is loopback", async () => {
  const { auth, headers, socket } = await start("development");
  const request = { method: "GET", headers };
  expect(await auth.check({ ...request, socket })).toMatchObject({ ok: true });
  expect(await auth.authenticate({ ...request, socket })).toMatchObject({ type: "access" });
  expect(await auth.authenticate(new Headers(headers), { method: "GET", socket })).toMatchObject({ type: "access" });
  for (const other of [request, { ...request, socket: { remoteAddress: "192.168.1.7" } }]) {
    expect(await auth.check(other)).toMatchObject({ ok: false });
  }
});

it("writes development cookies if NODE_ENV is development and the connection is loopback", async () => {
  const { auth } = await start("development");
  const readCookie = async (connection?: { ip: string }) => {
    const request = new Request("http://localhost:3000/api/auth/csrf/");
    return (await auth.fetch(request, connection)).headers.getSetCookie()[0]?.split("=")[0];
  };
  expect(await readCookie({ ip: "::1" })).toBe("csrftoken");
  expect(await readCookie()).toBe("__Host-csrftoken");
});

it.each(["production", "test", ""])("never reads development cookies if NODE_ENV is %j", async (nodeEnv) => {
  const { auth, headers, socket } = await start(nodeEnv);
  expect(await auth.check({ method: "GET", headers, socket })).toMatchObject({ ok: false });
});

it("authenticates by development cookies behind Hono, whose request doesn't know its socket", async () => {
  const { auth, headers, socket } = await start("development");
  const app = new Hono().get("/orders", requireUser(auth), (c) => c.text("orders"));
  const ask = async (env?: object) => (await app.request("http://localhost:3000/orders", { headers }, env)).status;
  expect(await ask({ incoming: { socket } })).toBe(200);
  expect(await ask()).toBe(401);
});
