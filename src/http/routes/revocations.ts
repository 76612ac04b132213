import { z } from "zod";
import type { ClientInfo } from "../../core/client-info.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { ReaderRequest } from "../../flows/feed-readers.ts";
import { frameType, toRegisteredLease } from "../../flows/feed-readers.ts";
import { defineEndpoint, type HttpDeps } from "../endpoint.ts";
import {
  answerFeedAcknowledgement,
  answerFeedRequest,
  type FeedRequestDeps,
  leases,
  longestWait,
  readerPattern,
} from "../feed-requests.ts";
import type { QueryDescription, ResponseDescription } from "../openapi/description.ts";
import { insufficientScope, serviceRefused, throttled, timeSchema, unavailable } from "../openapi/responses.ts";
import { readServiceCredential } from "../request/service-credential.ts";

const path = ({ authPath }: Pick<Settings, "authPath">) => `${authPath}/revocations`;

const after: QueryDescription = {
  name: "after",
  description: "The cursor of the last frame: 64 hexadecimal digits. Any other text gets all revocations.",
  schema: z.string(),
};

const reader: QueryDescription = {
  name: "reader",
  description: "The reader's own name for itself, such as 16 random letters. The same in all its requests.",
  schema: z.string().regex(readerPattern),
};

const badQuery: ResponseDescription = {
  description: "A parameter is wrong. The body has messages by parameter.",
  schema: z.record(z.string(), z.array(z.string())),
};

const refusals = { 400: badQuery, 401: serviceRefused, 403: insufficientScope, 429: throttled, 503: unavailable };

/** `GET {authPath}/revocations`: returns the revocations to services that verify tokens themselves. */
export const revocations = defineEndpoint({
  method: "GET",
  path,
  operationId: "readRevocations",
  summary: "Read the revocation feed.",
  errorStyle: "token",
  serviceScope: "feed",
  security: ["serviceBasic", "serviceBearer"],
  query: [
    after,
    {
      name: "wait",
      description: "How many seconds to wait if there is nothing new.",
      schema: z.number().min(0).max(longestWait).default(0),
    },
    { name: "stream", description: "`1`: frames without end.", schema: z.enum(["0", "1"]) },
    {
      name: "lease",
      description:
        "How many milliseconds the reader accepts tokens for after a frame: its `maxStaleness`. At most the setting `maxFeedLease`.",
      schema: z.int().min(leases.shortest).max(leases.longest).default(leases.default),
    },
    reader,
  ],
  headers: [
    { name: "Accept", description: "`application/json` for JSON. Default: binary frames.", schema: z.string() },
  ],
  responses: {
    200: {
      description: "What is new after the cursor, or everything.",
      headers: [
        { name: "X-Accel-Buffering", description: "`no`: nginx forwards frames at once.", schema: z.literal("no") },
        { name: "Content-Length", description: "Of a frame.", schema: z.int() },
      ],
      binary: frameType,
      schema: z.object({
        full: z.boolean().meta({ description: "Whether this replaces everything that the reader holds." }),
        age_ms: z.int().meta({ description: "By how many milliseconds the node was behind its database." }),
        keys: z.string().meta({ description: "The version of the public keys." }),
        cursor: z.string().meta({ description: "Where the reader continues." }),
        revocations: z.array(z.object({ fingerprint: z.string(), until: timeSchema, value: z.int() })),
      }),
    },
    ...refusals,
  },
  handle({ request, deps, client }) {
    const { clock, readers, settings } = deps;
    const own = { clock, readers: toReadersOf(readers, client), longestLease: toLongestLease(settings) };
    return answerFeedRequest(own, request, watchCredential(deps, request));
  },
});

/** `POST {authPath}/revocations`: a reader says what it has applied. */
export const revocationsApplied = defineEndpoint({
  method: "POST",
  path,
  operationId: "acknowledgeRevocations",
  summary: "Acknowledge what a reader of the revocation feed has applied.",
  errorStyle: "token",
  serviceScope: "feed",
  security: ["serviceBasic", "serviceBearer"],
  query: [
    { ...after, required: true },
    { ...reader, required: true },
  ],
  responses: { 204: { description: "Noted. An unknown reader or cursor is ignored." }, ...refusals },
  handle: async ({ request, deps, client }) =>
    answerFeedAcknowledgement({ readers: toReadersOf(deps.readers, client) }, request),
});

/**
 * A lease that is no longer than the node's own delays no confirmation. A relay asks for what it registers for its readers, which
 * is a little longer than their `maxStaleness`.
 */
function toLongestLease({ maxFeedLease, maxStaleness }: Pick<Settings, "maxFeedLease" | "maxStaleness">): number {
  return Math.min(leases.longest, toRegisteredLease(Math.max(maxFeedLease, maxStaleness) * 1000));
}

function watchCredential({ credentials }: Pick<HttpDeps, "credentials">, { headers }: Request): AbortSignal {
  return credentials.watch(readServiceCredential(headers)?.credential ?? "", "feed");
}

/** A reader's name is in URLs, and so in logs of proxies: it counts for its own service only, which can't acknowledge for another's. */
function toReadersOf(readers: HttpDeps["readers"], { actor = "" }: ClientInfo): FeedRequestDeps["readers"] {
  const named = (request: ReaderRequest): ReaderRequest =>
    request.reader === undefined ? request : { ...request, reader: `${actor}/${request.reader}` };
  return {
    poll: (request, options) => readers.poll(named(request), options),
    stream: (request, signal) => readers.stream(named(request), signal),
    acknowledge: (reader, cursor) => readers.acknowledge(`${actor}/${reader}`, cursor),
  };
}
