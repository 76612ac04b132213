import { z } from "zod";
import type { HeaderDescription, ResponseDescription } from "../endpoint.ts";
import { errorSchema, secondsFromNowSchema } from "./responses.ts";

/** What a login and a refresh tell the page of the tokens that it cannot see. */
export const lifetimesSchema = z.object({
  access_expires_in: secondsFromNowSchema,
  refresh_expires_in: secondsFromNowSchema,
});

/** 403 of an unsafe request by cookie. */
export const csrfFailed: ResponseDescription = {
  description: "The CSRF token is missing or wrong, or another site's page sent the request.",
  schema: errorSchema,
};

/** What every unsafe request by cookie needs. */
export const csrfHeader: HeaderDescription = {
  name: ({ csrfHeaderName }) => csrfHeaderName,
  description: "The value of the CSRF cookie. Needed where a cookie proves the caller; a bearer token needs none.",
  schema: z.string(),
};
