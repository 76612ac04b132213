import type { AnyCors, CorsOptions } from "../../index.ts";
import { sendCors } from "../node/parts.ts";
import type { FastifyInstanceLike } from "./parts.ts";

/**
 * Returns a plugin that allows pages from `trustedOrigins` to use your own routes. Register it before these routes.
 *
 * @example
 * await app.register(cors(auth));
 */
export function cors(auth: AnyCors, options?: CorsOptions): (app: FastifyInstanceLike) => Promise<void> {
  const plugin = async (app: FastifyInstanceLike) => {
    app.addHook("onRequest", (request, reply, done) => {
      if (sendCors(auth, request.raw, reply.raw, options)) reply.hijack();
      else done();
    });
  };
  // Fastify's mark for a plugin whose hooks apply to the whole application.
  return Object.assign(plugin, { [Symbol.for("skip-override")]: true });
}
