import type {} from "fastify";
import type { AnyCheck, Auth, AuthUser, CheckResult, RegisteredAuthentication } from "../index.ts";
import { type FastifyInstanceLike, type RequireUserHook, refuse } from "./fastify-parts.ts";
import { toNodeHandler } from "./node.ts";

export { cors } from "./fastify-cors.ts";
export type { FastifyInstanceLike, FastifyReplyLike, FastifyRequestLike, RequireUserHook } from "./fastify-parts.ts";

declare module "fastify" {
  interface FastifyRequest {
    /**
     * Who sent the request. Set by `requireUser`; null on other routes. `Register` gives it the types of your application.
     */
    auth: RegisteredAuthentication;
  }
}

/**
 * Returns a plugin with the endpoints of the HTTP contract. The plugin doesn't answer other paths.
 *
 * @example
 * await app.register(authRoutes(auth));
 */
export function authRoutes(auth: Pick<Auth, "fetch" | "handles">): (app: FastifyInstanceLike) => Promise<void> {
  const handle = toNodeHandler(auth);
  const plugin = async (app: FastifyInstanceLike) => {
    app.decorateRequest("auth", null);
    app.addHook("onRequest", (request, reply, done) => {
      if (!auth.handles(request.raw)) return done();
      reply.hijack();
      handle(request.raw, reply.raw).catch(() => request.raw.destroy());
    });
  };
  // Fastify's mark for a plugin whose hooks apply to the whole application.
  return Object.assign(plugin, { [Symbol.for("skip-override")]: true });
}

/**
 * Returns a hook that sets `request.auth` and refuses requests that are not authenticated. You can also await it in your
 * own hook.
 *
 * @example
 * app.get("/api/orders", { onRequest: requireUser(auth) }, async (request) => ordersOf(request.auth.userId));
 */
export function requireUser(auth: AnyCheck): RequireUserHook {
  return (request, reply, done) => {
    const settle = (result: CheckResult<AuthUser, object>): Promise<void> | void => {
      if (!result.ok) return refuse(result.response, reply, done === undefined);
      request.auth = result.authentication;
      return done?.();
    };
    const result = auth.check(request.raw);
    const settled = "ok" in result ? settle(result) : result.then(settle);
    if (done === undefined) return Promise.resolve(settled);
    // Without an error, `done` would pass the request on.
    return void settled?.catch((error) => done(error instanceof Error ? error : new Error("the check failed")));
  };
}
