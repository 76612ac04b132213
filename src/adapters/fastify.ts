import type { IncomingMessage, ServerResponse } from "node:http";
import type {} from "fastify";
import type { Admission, Auth, Authentication, AuthUser, Gate } from "../index.ts";
import { toNodeListener } from "./node.ts";

declare module "fastify" {
  interface FastifyRequest {
    auth: Authentication | null;
  }
}

/** The parts of Fastify that we need. */
type FastifyRequest = { raw: IncomingMessage; headers: IncomingMessage["headers"]; auth: Authentication | null };
type FastifyReply = { readonly raw: ServerResponse; hijack(): unknown; send(response: Response): unknown };
type Hook = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void;
type FastifyInstance = {
  decorateRequest(name: string, value: null): unknown;
  addHook(name: "onRequest", hook: Hook): unknown;
};

/**
 * Plugin with the endpoints of the contract; every other path goes on.
 *
 * @example
 * await app.register(authRoutes(auth));
 */
export function authRoutes(auth: Pick<Auth, "fetch" | "handles">): (app: FastifyInstance) => Promise<void> {
  const listener = toNodeListener(auth);
  const plugin = async (app: FastifyInstance) => {
    app.decorateRequest("auth", null);
    app.addHook("onRequest", (request, reply, done) => {
      if (!auth.handles((request.raw.url ?? "/").split("?", 1)[0] ?? "/")) return done();
      reply.hijack();
      listener(request.raw, reply.raw).catch(done);
    });
  };
  // Fastify's mark for a plugin whose hooks hold for the whole application.
  return Object.assign(plugin, { [Symbol.for("skip-override")]: true });
}

/**
 * Hook that lets only authenticated requests pass and puts the proven claims on `request.auth`; claims of your own get
 * their types back with `request.auth as AuthenticationOf<typeof auth>`.
 *
 * @example
 * app.get("/api/orders", { onRequest: requireUser(auth) }, async (request) => ordersOf(request.auth?.userId));
 */
export function requireUser(auth: Gate): Hook {
  return (request, reply, done) => {
    const settle = (admission: Admission<AuthUser>): unknown => {
      if (!admission.admitted) return reply.send(admission.response);
      request.auth = admission.authentication;
      return done();
    };
    const admission = auth.admit(request.headers, request.raw);
    if ("admitted" in admission) settle(admission);
    else admission.then(settle, done);
  };
}
