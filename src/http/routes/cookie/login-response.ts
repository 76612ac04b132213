import type { LoggedIn } from "../../../flows/login.ts";
import { lifetimesSchema, publicClaimsSchema, sessionIdSchema, userSchema } from "../../openapi/cookie-responses.ts";
import { toJsonResponse } from "../../response/json.ts";

/** The answer to a login by cookie. */
export const loggedInSchema = lifetimesSchema.extend({
  user: userSchema,
  session: sessionIdSchema,
  claims: publicClaimsSchema,
});

/** Returns the answer to a login by cookie, still without its cookies. */
export function toLoginResponse({ user, session, pair, publicClaims }: LoggedIn): Response {
  return toJsonResponse(200, {
    user: { id: user.id, username: user.username },
    session: { id: session.id },
    access_expires_in: pair.accessExpiresIn,
    refresh_expires_in: pair.refreshExpiresIn,
    claims: publicClaims,
  });
}
