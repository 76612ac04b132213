/** What a server's code uses of the package's types. Only compiled: by test/types/run.ts. */
import { type Request as ExpressRequest, Router } from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { type Auth, AuthError, type AuthErrorCode, type AuthUser, createAuth, minutes, type Store } from "tokenpair";
import { authRoutes, cors, requireUser, sessionStarter } from "tokenpair/express";
import * as ofFastify from "tokenpair/fastify";
import * as ofHono from "tokenpair/hono";
import * as ofNode from "tokenpair/node";
import { createPasswords, type PasswordVerification } from "tokenpair/passwords";
import { type PostgresStore, postgresStore } from "tokenpair/postgres";
import { sqliteStore } from "tokenpair/sqlite";
import { createVerifier, type Verifier } from "tokenpair/verifier";

interface Member extends AuthUser {
  readonly role: "reader" | "editor";
}

const passwords = createPasswords({ minLength: 15 });
const ada: Member = { id: "m-1", username: "ada", isActive: true, role: "editor" };
const store: Store = sqliteStore(":memory:");
export const postgres: PostgresStore = postgresStore("postgres://localhost/app");
export const auth = createAuth({
  store,
  signingKey: "a signing key of the types alone, of 32 bytes",
  accessTokenLifetime: minutes(5),
  findUser: async (id): Promise<Member | null> => (id === ada.id ? ada : null),
  verifyCredentials: async (_, password): Promise<Member | null> => {
    const verification: PasswordVerification = await passwords.verify(null, password);
    return verification.isCorrect ? ada : null;
  },
  claims: (user) => ({ role: user.role }),
  publicClaims: (user) => ({ role: user.role }),
});

declare module "tokenpair" {
  interface Register {
    auth: typeof auth;
  }
}

/** Takes an `Auth` with the application's types. */
export function toRole(_: Auth<Member, { role: Member["role"] }>, member: Member): string {
  return member.role;
}
toRole(auth, ada);

export const router = Router();
router.use(cors(auth), authRoutes(auth));
router.get("/role", requireUser(auth, { maxAge: minutes(10) }), (req: ExpressRequest, res) => {
  const role: "reader" | "editor" = req.auth.payload.role;
  // @ts-expect-error a role is one of two texts
  const wrong: "admin" = req.auth.payload.role;
  res.json({ role, wrong });
});
export const start = sessionStarter(auth);

const fastify = Fastify();
fastify.register(ofFastify.authRoutes(auth));
fastify.get("/role", { onRequest: ofFastify.requireUser(auth) }, async (request) => request.auth?.payload.role);

export const hono = new Hono().use(ofHono.authRoutes(auth));
hono.get("/role", ofHono.requireUser(auth), (c) => {
  const role: "reader" | "editor" = c.get("auth").payload.role;
  return c.text(role);
});
export const listener = ofNode.toNodeHandler(auth);

export async function verify(request: Request): Promise<string> {
  const verifier: Verifier = createVerifier({ issuer: "https://id.example", audience: "api", revocations: false });
  const checked = await verifier.check(request);
  return checked.ok ? checked.authentication.userId : String(checked.response.status);
}

export function toCode(error: unknown): AuthErrorCode | null {
  return error instanceof AuthError ? error.code : null;
}
