import type { HttpBindings } from "@hono/node-server";
import type { MiddlewareHandler } from "hono";
import { checkPageOptions } from "../../core/login-path.ts";
import type { AnyCheck, AnyPageCheck, AuthenticationOf, PageOptions } from "../../index.ts";
import type { AuthEnv } from "./parts.ts";

/**
 * Returns a middleware for routes that answer with pages. It sets `c.get("auth")`. A browser whose access token has expired gets a page
 * that refreshes and reloads, and one without a session is redirected to `loginPath`, with the requested page as `next`.
 *
 * @throws TypeError if `loginPath` isn't a path of this origin, or the requirement makes no sense.
 * @example
 * app.get("/orders", requirePage(auth, { loginPath: "/login" }), (c) => c.html(ordersPage(c.get("auth").userId)));
 */
export function requirePage<A extends AnyCheck & AnyPageCheck>(
  auth: A,
  options: PageOptions = {},
): MiddlewareHandler<AuthEnv<A>> {
  checkPageOptions(options, "requirePage");
  return async (c, next) => {
    const { socket } = (c.env as Partial<HttpBindings> | undefined)?.incoming ?? {};
    const result = await auth.checkPage(c.req.raw, { ...options, socket });
    if (!result.ok) return result.response;
    c.set("auth", result.authentication as AuthenticationOf<A>);
    return next();
  };
}
