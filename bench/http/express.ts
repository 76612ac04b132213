import { createServer } from "node:http";
import express, { type ErrorRequestHandler, type RequestHandler } from "express";
import { expressjwt } from "express-jwt";
import passport from "passport";
import { ExtractJwt, Strategy } from "passport-jwt";
import { requireUser } from "../../src/adapters/express/index.ts";
import { answer, listen, type Start } from "./served.ts";
import { bearerRequests, createOurs, secret } from "./tokens.ts";

async function serve(...checks: readonly RequestHandler[]) {
  const app = express();
  const refuse: ErrorRequestHandler = (_error, _req, res, _next) => {
    res.sendStatus(401);
  };
  for (const check of checks) app.use(check);
  app.get("/", (_req, res) => {
    res.json(answer);
  });
  app.use(refuse);
  return { port: await listen(createServer(app)), requests: bearerRequests() };
}

async function serveOurs(settings = {}) {
  return serve(requireUser(await createOurs(settings)));
}

/** Servers of Express. */
export const starts: Readonly<Record<string, Start>> = {
  bare: () => serve(),
  "a middleware that does nothing": () => serve((_req, _res, next) => next()),
  tokenpair: () => serveOurs(),
  "tokenpair, no cache": () => serveOurs({ verifyCacheSize: 0 }),
  "express-jwt": () => serve(expressjwt({ secret, algorithms: ["HS256"] })),
  "passport-jwt": () => {
    const jwtFromRequest = ExtractJwt.fromAuthHeaderAsBearerToken();
    passport.use(
      new Strategy({ jwtFromRequest, secretOrKey: secret, algorithms: ["HS256"] }, (payload, done) =>
        done(null, payload),
      ),
    );
    return serve(passport.initialize(), passport.authenticate("jwt", { session: false }));
  },
};
