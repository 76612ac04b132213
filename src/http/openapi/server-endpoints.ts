import { z } from "zod";
import type { EndpointDescription } from "../endpoint.ts";
import { unavailable } from "./responses.ts";

const statusSchema = z.object({ status: z.literal("ok") });

/** What `tokenpair serve` answers beside the endpoints: described here, for one document of it all, and not handled. */
export const serverEndpoints: readonly EndpointDescription[] = Object.freeze([
  {
    method: "GET",
    path: () => "/healthz",
    summary: "Say whether the process lives.",
    responses: { 200: { description: "It does.", schema: statusSchema } },
  },
  {
    method: "GET",
    path: () => "/readyz",
    summary: "Say whether the server can answer.",
    responses: {
      200: { description: "The store answers, and the revocations are loaded and fresh.", schema: statusSchema },
      503: unavailable,
    },
  },
]);
