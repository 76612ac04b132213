import { z } from "zod";
import type { ResponseDescription } from "../endpoint.ts";

/** Whole seconds since the epoch. */
export const timeSchema = z.int().meta({ description: "Whole seconds since the epoch." });

/** Whole seconds from now. */
export const secondsFromNowSchema = z.int().meta({ description: "Whole seconds from now." });

/** An answer without content. */
export const emptySchema = z.object({});

export const errorSchema = z.object({ detail: z.string(), code: z.string() });

/** 400: messages by field. */
export const fieldErrorsSchema = z.record(z.string(), z.array(z.string()));

const tokenErrorSchema = errorSchema.extend({
  messages: z.array(z.object({ token_class: z.string(), token_type: z.string(), message: z.string() })).optional(),
});

/** 401 of an endpoint that takes a token. */
export const tokenRefused: ResponseDescription = { description: "The token is not valid.", schema: tokenErrorSchema };

/** 401 of a protected resource. */
export const notAuthenticated: ResponseDescription = {
  description: "No token was presented, or one that is not valid.",
  schema: tokenErrorSchema,
};

/** 429: `Retry-After` says when to try again. */
export const throttled: ResponseDescription = {
  description: "Too many requests came before this one; no password or token was looked at.",
  schema: errorSchema,
};

/** 503: nothing was changed; try again. */
export const unavailable: ResponseDescription = {
  description: "The service cannot answer now and has changed nothing.",
  schema: errorSchema,
};
