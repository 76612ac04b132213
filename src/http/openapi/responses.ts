import { z } from "zod";
import type { HeaderDescription, ResponseDescription } from "./description.ts";

/** The schema of a time. */
export const timeSchema = z.int().meta({ description: "Whole seconds since the epoch." });

/** The schema of a duration. */
export const secondsFromNowSchema = z.int().meta({ description: "Whole seconds from now." });

/** The schema of a response without content. */
export const emptySchema = z.object({});

/** The schema of an error body: a text for people, and a code for programs. */
export const errorSchema = z.object({ detail: z.string(), code: z.string() });

/** The schema of an error body that may have no code. */
export const detailSchema = z.object({ detail: z.string(), code: z.string().optional() });

/** The 405 response. Every path sends it for a method that it doesn't have. */
export const methodNotAllowed: ResponseDescription = {
  description: "The path does not have this method. `Allow` lists those that it has.",
  schema: detailSchema,
};

const retryAfter: HeaderDescription = {
  name: "Retry-After",
  description: "How many seconds to wait before the next request.",
  schema: z.int(),
  required: true,
};

/** The headers that all responses with a status have, in addition to `standardHeaders`. */
export const statusHeaders: Readonly<Record<string, readonly HeaderDescription[]>> = {
  401: [
    {
      name: "WWW-Authenticate",
      description:
        'The challenge. To users, that of RFC 6750 §3, with `error="invalid_token"` if a token was presented; to services, that ' +
        "of RFC 7617 §2.",
      schema: z.string(),
      required: true,
    },
  ],
  405: [{ name: "Allow", description: "The methods of the path.", schema: z.string(), required: true }],
  429: [retryAfter],
  503: [retryAfter],
};

/** The 400 response of an endpoint with a body: messages by field, or one text. */
export const badRequest: ResponseDescription = {
  description: "A field is missing or invalid, or the body can't be parsed.",
  schema: z.union([z.record(z.string(), z.array(z.string())), detailSchema]),
};

const tokenErrorSchema = errorSchema.extend({
  messages: z.array(z.object({ token_class: z.string(), token_type: z.string(), message: z.string() })).optional(),
});

/** Describes the header of a 401 response to a refresh token, for the OpenAPI document. */
const sessionEnded: HeaderDescription = {
  name: "Session-Ended",
  description: "`true` if the token's session is proved to be over. Without it, the client may try again later.",
  schema: z.literal("true"),
};

/** Describes the header of a response to a revocation with confirmation, for the OpenAPI document. */
export const revocationConfirmed: HeaderDescription = {
  name: "Revocation-Confirmed",
  description:
    "`acks` or `expiry`: no node accepts the revoked tokens any more. `pending`: the change is durable, but some nodes may " +
    "accept them for `maxStaleness` at most. Missing if no confirmation was asked for.",
  schema: z.enum(["acks", "expiry", "pending"]),
};

/** The 401 response of an endpoint that takes a refresh token. */
export const tokenRefused: ResponseDescription = {
  description: "The token is invalid, expired or revoked.",
  headers: [sessionEnded],
  schema: tokenErrorSchema,
};

/** The 401 response of a protected resource. */
export const notAuthenticated: ResponseDescription = {
  description: "The request has no access token, or one that is invalid, expired or revoked.",
  schema: tokenErrorSchema,
};

/** The 401 response of a login. */
export const loginRefused: ResponseDescription = {
  description:
    "The username or password is wrong, or the user is inactive. With the code `second_factor_required`: the login needs a second " +
    "step, in which the client sends `ticket`.",
  schema: errorSchema.extend({
    ticket: z.string().optional(),
    methods: z.array(z.string()).optional(),
    expires_in: secondsFromNowSchema.optional(),
  }),
};

/** The 429 response. */
export const throttled: ResponseDescription = {
  description: "Too many requests. The password or token was not checked. `Retry-After` says how many seconds to wait.",
  schema: errorSchema,
};

/** The 503 response. */
export const unavailable: ResponseDescription = {
  description:
    "The service is temporarily unavailable. Nothing has changed. `Retry-After` says how many seconds to wait.",
  schema: errorSchema,
};

/** Describes the request header for documents that caches may store. */
export const ifNoneMatch: HeaderDescription = {
  name: "If-None-Match",
  description: "The `ETag` values of the documents that the client has.",
  schema: z.string(),
};

/** Describes the response header of documents that caches may store. */
export const entityTag: HeaderDescription = {
  name: "ETag",
  description: "Changes with the document. All nodes have the same.",
  schema: z.string(),
  required: true,
};

/** The 304 response for documents that caches may store. */
export const cachedDocument: ResponseDescription = {
  description: "The client has this document already.",
  headers: [entityTag],
};

/** The 400 response of an endpoint for services. */
export const badServiceRequest: ResponseDescription = {
  description: "The field `token` is missing or invalid, or the body can't be parsed (RFC 6749 §5.2).",
  schema: z.object({ error: z.literal("invalid_request") }),
};

/** The 401 response of an endpoint for services. */
export const serviceRefused: ResponseDescription = {
  description: "The request has no service credential, or one that is wrong or revoked. A user's token doesn't count.",
  schema: errorSchema,
};

/** The 403 response of an endpoint for services. */
export const insufficientScope: ResponseDescription = {
  description: "The service lacks the scope that this endpoint needs.",
  schema: errorSchema,
};
