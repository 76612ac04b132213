import { z } from "zod";
import { defineEndpoint, type Endpoint } from "../endpoint.ts";
import { toOpenApiDocument } from "../openapi/document.ts";
import { toJsonResponse } from "../response/json.ts";

/** Creates `GET /api/schema`: it returns the OpenAPI document of `endpoints` and of itself. */
export function createSchemaEndpoint(endpoints: readonly Endpoint[]): Endpoint {
  let document: unknown;
  const schema = defineEndpoint({
    method: "GET",
    path: () => "/api/schema",
    summary: "Get the OpenAPI document of this API.",
    errorStyle: "resource",
    responses: {
      200: { description: "An OpenAPI 3.1 document.", schema: z.looseObject({ openapi: z.string() }) },
    },
    async handle({ deps }) {
      document ??= toOpenApiDocument([...endpoints, schema], deps.settings);
      return toJsonResponse(200, document);
    },
  });
  return schema;
}
