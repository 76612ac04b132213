import type {} from "fastify";
import type { Admission, Auth, Authentication, AuthUser, Gate } from "../index.ts";
import type { FastifyInstance, FastifyReply, GuardHook } from "./fastify-parts.ts";
import { toNodeListener } from "./node.ts";

declare module "fastify" {
  interface FastifyRequest {
    auth: Authentication | null;
  }
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
    app.addHook("onRequest", (request, reply, done) => {
      if (!auth.handles((request.raw.url ?? "/").split("?", 1)[0] ?? "/")) return done();
      reply.hijack();
      listener(request.raw, reply.raw).catch(() => request.raw.destroy());
    });
  };
  // Fastify's mark for a plugin whose hooks hold for the whole application.
  return Object.assign(plugin, { [Symbol.for("skip-override")]: true });
}

/**
 * Hook that lets only authenticated requests pass and puts the proven claims on `request.auth`; claims of your own get
 * their types back with `request.auth as AuthenticationOf<typeof auth>`. A hook of your own may await it.
 *
 * @example
 * app.get("/api/orders", { onRequest: requireUser(auth) }, async (request) => ordersOf(request.auth?.userId));
 */
export function requireUser(auth: Gate): GuardHook {
  return (request, reply, done) => {
    const settle = (admission: Admission<AuthUser>): ReturnType<GuardHook> => {
      if (!admission.admitted) return refuse(admission.response, reply);
      request.auth = admission.authentication;
      done?.();
    };
    const admission = auth.admit(request.headers, request.raw);
    const settled = "admitted" in admission ? settle(admission) : admission.then(settle);
    return done === undefined ? settled : void settled?.catch(done);
  };
}

/** As text: Fastify's own HEAD routes want to know how long it is. */
async function refuse(response: Response, reply: FastifyReply): Promise<void> {
  const { status, headers } = response;
  reply
    .code(status)
    .headers(Object.fromEntries(headers))
    .send(await response.text());
}
