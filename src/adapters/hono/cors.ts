import type { MiddlewareHandler } from "hono";
import type { AnyCors, CorsOptions } from "../../index.ts";

/**
 * Returns a middleware that allows pages from `trustedOrigins` to use your own routes. Mount it before these routes and
 * before `requireUser`.
 *
 * @example
 * app.use(cors(auth));
 */
export function cors(auth: AnyCors, options?: CorsOptions): MiddlewareHandler {
  return async (c, next) => {
    if (auth.handles(c.req.path)) return next();
    const { isPreflight, headers } = auth.cors(c.req.raw, options);
    if (isPreflight) return new Response(null, { status: 204, headers });
    await next();
    for (const [name, value] of Object.entries(headers)) c.header(name, value, { append: name === "Vary" });
    return;
  };
}
