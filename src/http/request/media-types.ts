import type { MediaType } from "../endpoint.ts";

/** What a token endpoint reads: API clients send JSON, simplejwt's also forms. */
export const tokenMediaTypes: readonly MediaType[] = [
  "application/json",
  "application/x-www-form-urlencoded",
  "multipart/form-data",
];

/** What a cookie endpoint reads: no HTML form can send it. */
export const cookieMediaTypes: readonly MediaType[] = ["application/json"];
