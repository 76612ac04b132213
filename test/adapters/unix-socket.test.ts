import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { describe, expect, it, onTestFinished } from "vitest";
import { authRoutes } from "../../src/adapters/hono/index.ts";
import { toNodeHandler } from "../../src/adapters/node/index.ts";
import { toConnection } from "../../src/adapters/node/parts.ts";
import type { Auth, AuthEvent, Settings } from "../../src/index.ts";
import { createScriptAuth, credentials } from "./http-script.ts";

const servers: readonly (readonly [string, (auth: Auth) => Server])[] = [
  ["plain Node", (auth) => createServer(toNodeHandler(auth))],
  [
    "Hono",
    (auth) => {
      const { fetch } = new Hono().use(authRoutes(auth));
      return createAdaptorServer({ fetch, overrideGlobalObjects: false }) as Server;
    },
  ],
];

/** Starts a server on a unix socket. */
async function start(create: (auth: Auth) => Server, settings: Partial<Settings>) {
  const { auth, close } = await createScriptAuth(settings);
  const folder = mkdtempSync(join(tmpdir(), "tokenpair-socket-"));
  const socketPath = join(folder, "auth.sock");
  const events: AuthEvent[] = [];
  auth.on((event) => void events.push(event));
  const server = create(auth).listen(socketPath);
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Sends a login, as a proxy does for a client. */
  async function logIn(password: string, client: string) {
    const headers = { "Content-Type": "application/json", "X-Forwarded-For": client };
    const sent = request({ socketPath, path: "/api/token/", method: "POST", headers });
    sent.end(JSON.stringify({ ...credentials, password }));
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  }

  return { events, logIn };
}

/** The clock is the real one, so the delay is longer than any pause of a busy machine. */
const limits = { addressFailuresBeforeDelay: 2, loginFailuresBeforeDelay: 0, loginDelay: 600 };

describe.each(servers)("behind a unix socket, %s", (_, create) => {
  it("counts all clients as one address, and says so once", async () => {
    const { events, logIn } = await start(create, limits);
    const statuses = [];
    for (const client of ["203.0.113.1", "203.0.113.2", "203.0.113.3"]) statuses.push(await logIn("wrong", client));
    expect(statuses).toEqual([401, 401, 429]);
    expect(events.filter(({ type }) => type === "client_address_unknown")).toMatchObject([{ isTrusted: false }]);
  });

  it('takes the client\'s address from the proxy with trustedProxies ["unix"]', async () => {
    const { events, logIn } = await start(create, { ...limits, trustedProxies: ["unix"] });
    for (let n = 0; n < 2; n++) await logIn("wrong", "203.0.113.1");
    expect(await logIn(credentials.password, "203.0.113.1")).toBe(429);
    expect(await logIn(credentials.password, "203.0.113.2")).toBe(200);
    expect(events).toContainEqual(expect.objectContaining({ type: "login", client: { ip: "203.0.113.2" } }));
    expect(events.map(({ type }) => type)).not.toContain("client_address_unknown");
  });
});

describe("a TCP socket", () => {
  it("has the client's address, and after the client has hung up counts as closed, not as a unix socket", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const [[socket]] = await Promise.all([once(server, "connection"), once(client, "connect")]);
    client.resetAndDestroy();
    await new Promise((resolve) => {
      socket
        .on("error", () => {})
        .once("close", resolve)
        .resume();
    });
    expect(toConnection({ socket })).toEqual({ ip: "closed" });
    const second = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const [open] = await once(server, "connection");
    expect(toConnection({ socket: open })).toEqual({ ip: "127.0.0.1" });
    second.destroy();
    server.close();
  });
});
