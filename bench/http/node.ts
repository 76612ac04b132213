import { createSecretKey } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { fromNodeHeaders } from "better-auth/node";
import { createVerifier } from "fast-jwt";
import { jwtVerify } from "jose";
import { requireUser } from "../../src/adapters/node/index.ts";
import { startBetterAuth } from "./better-auth.ts";
import { answer, type Headers, listen, type Start } from "./served.ts";
import { bearerRequests, createOurs, secret } from "./tokens.ts";

type Check = (req: IncomingMessage, res: ServerResponse) => unknown;

/** The route, behind a check that throws or answers `null` where a request may not pass. */
async function serve(check: Check | null, requests: readonly Headers[] = bearerRequests()) {
  const body = JSON.stringify(answer);
  const headers = { "content-type": "application/json", "content-length": body.length };
  const send = (res: ServerResponse) => res.writeHead(200, headers).end(body);
  const refuse = (res: ServerResponse) => res.writeHead(401).end();
  const server = createServer(
    check === null
      ? (_, res) => send(res)
      : async (req, res) => {
          try {
            if ((await check(req, res)) !== null) send(res);
            else if (!res.headersSent) refuse(res);
          } catch {
            refuse(res);
          }
        },
  );
  return { port: await listen(server), requests };
}

const readToken = (req: IncomingMessage) => req.headers.authorization?.slice("Bearer ".length) ?? "";

async function serveOurs(settings = {}) {
  return serve(requireUser(await createOurs(settings)));
}

async function serveFastJwt(cache: boolean) {
  const verify = createVerifier({ key: secret, algorithms: ["HS256"], cache });
  return serve((req) => verify(readToken(req)));
}

async function serveBetterAuth(cookieCache: boolean) {
  const { auth, requests } = await startBetterAuth(cookieCache);
  return serve((req) => auth.api.getSession({ headers: fromNodeHeaders(req.headers) }), requests);
}

/** Servers of `node:http` alone. */
export const starts: Readonly<Record<string, Start>> = {
  bare: () => serve(null),
  tokenpair: () => serveOurs(),
  "tokenpair, no cache": () => serveOurs({ verifyCacheSize: 0 }),
  "fast-jwt, cache": () => serveFastJwt(true),
  "fast-jwt": () => serveFastJwt(false),
  jose: async () => {
    const key = createSecretKey(Buffer.from(secret));
    return serve((req) => jwtVerify(readToken(req), key, { algorithms: ["HS256"] }));
  },
  "better-auth, cookie cache": () => serveBetterAuth(true),
  "better-auth": () => serveBetterAuth(false),
};
