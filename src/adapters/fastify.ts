import type { IncomingMessage, ServerResponse } from "node:http";
import type {} from "fastify";
import type { Auth, Authentication, Gate } from "../index.ts";
import { toNodeListener } from "./node.ts";

declare module "fastify" {
  interface FastifyRequest {
    auth: Authentication | null;
  }
}

/** The parts of Fastify that we need. */
type FastifyRequest = { method: string; url: string; headers: IncomingMessage["headers"]; raw: IncomingMessage };
interface FastifyReply {
  readonly raw: ServerResponse;
  hijack(): unknown;
  send(response: Response): unknown;
}
type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
interface FastifyInstance {
  decorateRequest(name: string, value: null): unknown;
  addHook(name: "onRequest", hook: Hook): unknown;
}

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
    app.addHook("onRequest", async (request, reply) => {
      if (!auth.handles(request.url.split("?", 1)[0] ?? "/")) return;
      reply.hijack();
      await listener(request.raw, reply.raw);
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
  return async (request, reply) => {
    const admission = await auth.admit(request.headers, { method: request.method });
    if (admission.admitted) return void Object.assign(request, { auth: admission.authentication });
    return reply.send(admission.response);
  };
}
