import type { Context, Env, Handler, Next } from "hono";
import type { AnyCheck, AuthenticationOf, RegisteredCheck } from "../../index.ts";

/** The `Env` of an application or route behind `requireUser` or `requirePage`: `new Hono<AuthEnv<typeof auth>>()`. */
export interface AuthEnv<A extends AnyCheck> extends Env {
  /** The variables that `c.get` returns. */
  Variables: {
    /** Who sent the request. */
    auth: AuthenticationOf<A>;
  };
}

/**
 * A handler like `H`, which the application expects, with `auth` among its variables. It accepts the name of any path parameter:
 * TypeScript fixes the type of an inner function's parameter before Hono's types have seen the path.
 */
export type AuthenticatedHandler<H extends Handler> = H extends (
  c: Context<infer E, infer _Path, infer I>,
  next: Next,
) => unknown
  ? // biome-ignore lint/suspicious/noExplicitAny: TypeScript infers the result of the handler only in place of `any`.
    (c: Context<E & AuthEnv<RegisteredCheck>, `/:${string}`, I>, next: Next) => any
  : H;
