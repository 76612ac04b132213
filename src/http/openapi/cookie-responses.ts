import { z } from "zod";
import type { HeaderDescription, ResponseDescription } from "./description.ts";
import { errorSchema, secondsFromNowSchema } from "./responses.ts";

/** The lifetimes of the tokens in the cookies. Scripts need them because they can't see the tokens. */
export const lifetimesSchema = z.object({
  access_expires_in: secondsFromNowSchema,
  refresh_expires_in: secondsFromNowSchema,
});

/** The id of the session, by which a client notices that its cookies now belong to a different session. */
export const sessionIdSchema = z.object({ id: z.string() });

/** What the application tells the page about its user. */
export const publicClaimsSchema = z.record(z.string(), z.unknown()).optional().meta({
  description: "What the application tells the page about its user. Missing without the hook `publicClaims`.",
});

/** The user, as the cookie endpoints name it. */
export const userSchema = z.object({ id: z.string(), username: z.string() });

/** The 403 response to an unsafe request by cookie. */
export const csrfFailed: ResponseDescription = {
  description: "The CSRF token is missing or wrong, or the request came from another site.",
  schema: errorSchema,
};

/** The 403 of an unsafe request by cookie for something that only the user may do. */
export const csrfFailedOrActor: ResponseDescription = {
  description:
    "The CSRF token is missing or wrong, or the request came from another site. With the code `impersonated`: an actor acts for " +
    "the user in this session, and only the user may do this.",
  schema: errorSchema,
};

/** The 403 of a safe request that may be by cookie. */
export const cookiesRefused: ResponseDescription = {
  description: "Two cookies of the request have the same name, so another host may have set one of them.",
  schema: errorSchema,
};

/** Describes the header of a response that sets or deletes cookies. `what` is a sentence that says which cookies. */
export function setCookie(what: string): HeaderDescription {
  return { name: "Set-Cookie", description: `${what} One header for each cookie.`, schema: z.string() };
}

/** Describes the header that every unsafe request by cookie needs. */
export const csrfHeader: HeaderDescription = {
  name: ({ csrfHeaderName }) => csrfHeaderName,
  description: "The value of the CSRF cookie. Required with cookies, ignored with a bearer token.",
  schema: z.string(),
};
