import type {} from "fastify";
import type { AnyRoutes, RegisteredAuthentication } from "../../index.ts";
import { toNodeHandler } from "../node/index.ts";
import type { FastifyInstanceLike } from "./parts.ts";

export { cors } from "./cors.ts";
export type { FastifyInstanceLike, FastifyReplyLike, FastifyRequestLike, RequireUserHook } from "./parts.ts";
export { type FastifyHeadersLike, sessionStarter } from "./session.ts";
export { requirePage, requireUser } from "./user.ts";

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
export function authRoutes(auth: AnyRoutes): (app: FastifyInstanceLike) => Promise<void> {
  return toPlugin(auth, (app) => app.decorateRequest("auth", null));
}

/**
 * Returns a plugin with the console's pages and its staff API.
 *
 * @param staff the object that `createConsole` of `tokenpair/console` returned.
 * @example
 * await app.register(consoleRoutes(createConsole(auth)));
 */
export function consoleRoutes(staff: AnyRoutes): (app: FastifyInstanceLike) => Promise<void> {
  return toPlugin(staff, () => {});
}

function toPlugin(auth: AnyRoutes, prepare: (app: FastifyInstanceLike) => unknown) {
  const handle = toNodeHandler(auth);
  const plugin = async (app: FastifyInstanceLike) => {
    prepare(app);
    app.addHook("onRequest", (request, reply, done) => {
      if (!auth.handles(request.raw)) return done();
      reply.hijack();
      handle(request.raw, reply.raw).catch(() => request.raw.destroy());
    });
  };
  // Fastify's mark for a plugin whose hooks apply to the whole application.
  return Object.assign(plugin, { [Symbol.for("skip-override")]: true });
}
