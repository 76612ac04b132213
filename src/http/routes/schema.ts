import { z } from "zod";
import type { Settings } from "../../core/settings/settings.ts";
import type { AuthUser } from "../../core/user.ts";
import { defineEndpoint, type Endpoint } from "../endpoint.ts";
import { toOpenApiDocument } from "../openapi/document.ts";
import { toJsonResponse } from "../response/json.ts";

/** Creates the endpoint that returns the OpenAPI document of `endpoints` and of itself. */
export function createSchemaEndpoint(endpoints: readonly Endpoint[], path = "/api/schema"): Endpoint {
  // By settings: those of development cookies name other cookies.
  const documents = new Map<Settings<AuthUser>, unknown>();
  const schema: Endpoint = defineEndpoint({
    method: "GET",
    path: () => path,
    operationId: "getOpenApiDocument",
    summary: "Get the OpenAPI document of this API.",
    errorStyle: "resource",
    worksWithoutKeys: true,
    responses: {
      200: { description: "An OpenAPI 3.1 document.", schema: z.looseObject({ openapi: z.string() }) },
    },
    async handle({ deps }) {
      const { settings } = deps;
      const document = documents.get(settings) ?? toOpenApiDocument([...endpoints, schema], settings);
      documents.set(settings, document);
      return toJsonResponse(200, document);
    },
  });
  return schema;
}
