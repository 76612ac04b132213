import type { Env } from "hono";
import type { AnyCheck, AuthenticationOf } from "../index.ts";

/** The `Env` of an application or route behind `requireUser`: `new Hono<AuthEnv<typeof auth>>()`. */
export interface AuthEnv<A extends AnyCheck> extends Env {
  /** The variables that `c.get` returns. */
  Variables: {
    /** Who sent the request. */
    auth: AuthenticationOf<A>;
  };
}
