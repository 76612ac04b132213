import { z } from "zod";
import type { EndpointDescription } from "./description.ts";
import { errorSchema } from "./responses.ts";

const statusSchema = z.object({ status: z.literal("ok") });

const readinessSchema = z.object({ status: z.enum(["ok", "degraded"]), detail: z.string().optional() });

/**
 * The endpoints that only `tokenpair serve` has. They are described here so that one document contains all endpoints, but
 * the server answers them.
 */
export const serverEndpoints: readonly EndpointDescription[] = Object.freeze([
  {
    method: "GET",
    path: () => "/healthz",
    operationId: "getLiveness",
    summary: "Liveness probe.",
    responses: { 200: { description: "The process is alive.", schema: statusSchema } },
  },
  {
    method: "GET",
    path: () => "/readyz",
    operationId: "getReadiness",
    summary: "Readiness probe.",
    responses: {
      200: {
        description:
          "The store answers, and the revocations are loaded and fresh. `degraded` if writes to a shared database fail; " +
          "`detail` says so.",
        schema: readinessSchema,
      },
      503: { description: "The server is not ready. `detail` says why.", schema: errorSchema },
    },
  },
]);
