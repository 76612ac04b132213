import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { build } from "esbuild";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { requireUser, sessionStarter, toNodeHandler } from "../../src/adapters/node/index.ts";
import { createClient } from "../../src/client/index.ts";
import type { SessionState } from "../../src/client/session/session-state.ts";
import { type Auth, createAuth } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { Account } from "./application-page.ts";
import { traits } from "./browsers.ts";
import type { Device } from "./device.ts";
import { password } from "./site.ts";

/** An application with routes of its own, whose pages have the client as `window.library`. */
export interface Application {
  readonly origin: string;
  readonly port: number;
  readonly auth: Auth;
  /** Creates a user with `password`. A user whose name begins with "otp" also needs the code 123456. */
  readonly newUser: (name?: string) => Promise<{ readonly id: string; readonly username: string }>;
  /** Revokes the access token in a device's cookies, at once. */
  readonly revokeAccess: (device: Device) => Promise<void>;
  /** Returns what the application's routes have answered until now: method, path and user. */
  readonly answered: () => readonly string[];
  /** Returns how many refreshes have arrived until now. */
  readonly refreshes: () => number;
  readonly close: () => Promise<void>;
}

/** The path of a login without a password and without the client, as by a link in an email: add the user's id. */
export const linkPath = "/login-by-link/";

type Handler = (req: IncomingMessage, res: ServerResponse) => Promise<unknown> | unknown;

/** Starts the application with a new database. */
export async function openApplication(): Promise<Application> {
  const store = sqliteStore(":memory:");
  await store.migrate();
  const auth = createAuth({
    store,
    signingKey: "a signing key for the application of the browser tests",
    insecureCookies: !traits.keepsSecureCookies,
    passwordMemoryCost: 64,
    passwordTimeCost: 1,
    publicClaims: () => ({ plan: "pro" }),
    afterPassword: ({ username }) => (username.startsWith("otp") ? { methods: ["otp"] } : null),
    verifySecondFactor: (_user, { code }) => (code === "123456" ? ["otp"] : null),
  });
  await auth.ready();
  const script = await bundle();
  const answered: string[] = [];
  let refreshes = 0;
  let serial = 0;
  const handleAuth = toNodeHandler(auth);
  const startSession = sessionStarter(auth);
  const authenticate = requireUser(auth);
  const authenticatePayer = requireUser(auth, { amr: ["pwd"] });
  const send = (res: ServerResponse, type: string, text: string) => res.setHeader("Content-Type", type).end(text);
  const note = (req: IncomingMessage, userId: string) => answered.push(`${req.method} ${req.url} ${userId}`);

  const handlers: Readonly<Record<string, Handler>> = {
    "/": (_req, res) => send(res, "text/html", toHtml()),
    "/script.js": (_req, res) => send(res, "text/javascript", script),
    async "/rendered"(req, res) {
      const checked = await auth.check(req);
      const known = checked.ok ? checked.authentication : undefined;
      const user = known && (await auth.users.find(known.userId));
      const initial: SessionState =
        known && user
          ? {
              status: "authenticated",
              user: { id: user.id, username: user.username },
              sessionId: known.sessionId ?? "",
            }
          : { status: "anonymous" };
      const content = renderToString(createElement(Account, { client: createClient(), initial }));
      send(res, "text/html", toHtml(content, initial));
    },
    async "/api/payouts/"(req, res) {
      const payer = await authenticatePayer(req, res);
      if (payer) send(res, "application/json", JSON.stringify({ paid: note(req, payer.userId) > 0 }));
    },
    async "/api/files/"(req, res) {
      const user = await authenticate(req, res);
      if (!user) return;
      let size = 0;
      for await (const chunk of req) size += chunk.length;
      note(req, user.userId);
      res.setHeader("Content-Disposition", 'attachment; filename="report.csv"');
      send(res, "text/csv", String(size));
    },
    async "/api/events/"(req, res) {
      const user = await authenticate(req, res);
      if (!user) return;
      note(req, user.userId);
      res.writeHead(200, { "Content-Type": "text/event-stream" });
      res.write(`data: ${user.userId}\n\n`);
    },
  };

  const server = createServer(async (req, res) => {
    const path = req.url ?? "";
    if (path === "/api/auth/refresh/") refreshes += 1;
    if (auth.handles(req)) return handleAuth(req, res);
    if (path.startsWith(linkPath)) {
      await startSession(req, res, path.slice(linkPath.length), { amr: ["email"] });
      return res.writeHead(204).end();
    }
    const handler = Object.hasOwn(handlers, path) ? handlers[path] : undefined;
    return handler ? handler(req, res) : res.writeHead(404).end();
  });
  const sockets = new Set<Duplex>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("upgrade", async (req: IncomingMessage, socket: Duplex) => {
    const checked = await auth.check(req);
    if (!checked.ok) {
      socket.end(`HTTP/1.1 ${checked.response.status} Refused\r\nConnection: close\r\n\r\n`);
      return;
    }
    note(req, checked.authentication.userId);
    acceptSocket(req, socket, checked.authentication.userId);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const origin = `http://localhost:${port}`;

  return {
    origin,
    port,
    auth,
    answered: () => answered,
    refreshes: () => refreshes,
    async newUser(name = "user") {
      serial += 1;
      return auth.users.create({ username: `${name}-${serial}`, password });
    },
    async revokeAccess(device) {
      const cookies = await device.cookies(`${origin}/`);
      const access = cookies.find(({ name }) => name.endsWith("access"))?.value ?? "";
      await auth.revokeToken(JSON.parse(Buffer.from(access.split(".")[1] ?? "", "base64url").toString()).jti);
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await auth.close();
      await store.close();
    },
  };
}

/** Sends the user's id in a text frame, and leaves the socket open. @see RFC 6455, 1.3 and 5.2 */
function acceptSocket(req: IncomingMessage, socket: Duplex, text: string): void {
  const accept = createHash("sha1").update(`${req.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  for (const event of ["error", "end"]) socket.on(event, () => socket.destroy());
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`,
  );
  socket.write(Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]));
}

const toHtml = (content = "", initial?: SessionState) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>application</title><link rel="icon" href="data:,"><div id="root">${content}</div>
<script>window.initial = ${JSON.stringify(initial ?? null)}</script><script type="module" src="/script.js"></script>`;

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "application-page.ts")],
    bundle: true,
    format: "esm",
    write: false,
    define: { "process.env.NODE_ENV": '"development"' },
  });
  return outputFiles[0]?.text ?? "";
}
