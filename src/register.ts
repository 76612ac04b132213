import type { AnyCheck, Auth, AuthenticationOf } from "./auth.ts";
import type { User } from "./core/user.ts";
import type { Authentication } from "./flows/tokens/authenticate.ts";

/**
 * Merge the type of your `Auth` into this interface once. `req.auth` in Express and `request.auth` in Fastify then have the
 * user and claims types of your application.
 *
 * @example
 * declare module "tokenpair" {
 *   interface Register {
 *     auth: typeof auth;
 *   }
 * }
 */
// biome-ignore lint/suspicious/noEmptyInterface: the application adds the member
export interface Register {}

/** Who sent a request, with the types of the registered `Auth`. If none is registered, with tokenpair's own types. */
export type RegisteredAuthentication = Register extends { readonly auth: infer A extends AnyCheck }
  ? AuthenticationOf<A>
  : Authentication<User>;

/** The part of the registered `Auth` that checks requests. If none is registered, that of an `Auth` with tokenpair's own types. */
export type RegisteredCheck = Register extends { readonly auth: infer A extends AnyCheck }
  ? Pick<A, "check">
  : Pick<Auth, "check">;
