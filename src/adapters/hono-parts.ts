import type { Env } from "hono";
import type { AnyCheck, AnyPageCheck, AuthenticationOf } from "../index.ts";

/** The `Env` of an application or route behind `requireUser` or `requirePage`: `new Hono<AuthEnv<typeof auth>>()`. */
export interface AuthEnv<A extends AnyCheck | AnyPageCheck> extends Env {
  /** The variables that `c.get` returns. */
  Variables: {
    /** Who sent the request. */
    auth: AuthenticationOf<A>;
  };
}
