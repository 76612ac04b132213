import type {} from "fastify";
import type { AnyCheck, Auth, Authentication } from "../index.ts";
import { type FastifyInstance, type GuardHook, refuse } from "./fastify-parts.ts";
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
      if (!auth.handles(request.raw)) return done();
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
export function requireUser(auth: AnyCheck): GuardHook {
  async function settle(checked: ReturnType<AnyCheck["check"]>, [request, reply, done]: Parameters<GuardHook>) {
    const result = await checked;
    if (!result.ok) return refuse(result.response, reply, typeof done !== "function");
    request.auth = result.authentication as Authentication;
    if (typeof done === "function") done();
  }

  return (request, reply, done) => {
    const result = auth.check(request.raw);
    if (typeof done !== "function") return settle(result, [request, reply]);
    if (!("ok" in result && result.ok)) {
      return void settle(result, [request, reply, done]).catch((error: unknown) => done(toError(error)));
    }
    request.auth = result.authentication as Authentication;
    return done();
  };
}

/** Without an error, `done` would let the request pass. */
const toError = (error: unknown): Error => (error instanceof Error ? error : new Error("the check failed"));
