import { z } from "zod";
import { toCookieNames } from "../../core/settings/cookie-names.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { AuthUser } from "../../core/user.ts";
import type { Endpoint, EndpointDescription, HeaderDescription, ResponseDescription } from "../endpoint.ts";
import { errorSchema, fieldErrorsSchema } from "./responses.ts";
import { serverEndpoints } from "./server-endpoints.ts";

type Json = Readonly<Record<string, unknown>>;

const detailSchema = z.object({ detail: z.string(), code: z.string().optional() });

/** What every endpoint with a body may answer. */
const bodyResponses: Readonly<Record<number, ResponseDescription>> = {
  400: {
    description: "A field is faulty, or the body cannot be parsed.",
    schema: z.union([fieldErrorsSchema, detailSchema]),
  },
  413: { description: "The body is too large.", schema: errorSchema },
  415: { description: "The body's media type is not supported.", schema: detailSchema },
};

/** The tag of what only `tokenpair serve` answers. */
const serverTag = "tokenpair serve";

/**
 * The OpenAPI 3.1 document of `endpoints`, and of what the server has beside them under a tag of its own; the same
 * endpoints and settings give the same document.
 */
export function toOpenApiDocument(endpoints: readonly Endpoint[], settings: Settings<AuthUser>): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const endpoint of endpoints) {
    const path = toDocumentedPath(endpoint.path(settings));
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: toOperation(endpoint, path, settings) };
  }
  for (const endpoint of serverEndpoints) {
    const path = endpoint.path(settings);
    const operation = { ...toOperation(endpoint, path, settings), tags: [serverTag] };
    paths[path] = { [endpoint.method.toLowerCase()]: operation };
  }
  return {
    openapi: "3.1.0",
    info: { title: "tokenpair", version: "1", description: "Token-pair authentication." },
    tags: [{ name: serverTag, description: "Answered by the server alone, not by the library." }],
    paths,
    components: { securitySchemes: toSecuritySchemes(settings) },
  };
}

/** The form with a trailing slash, which simplejwt's clients use; a file's name has none. */
function toDocumentedPath(path: string): string {
  return path.endsWith(".json") ? path : `${path}/`;
}

function toOperation(endpoint: EndpointDescription, path: string, settings: Settings<AuthUser>): Json {
  const { summary, headers = [], body, security = [], responses } = endpoint;
  const parameters = [...toPathParameters(path), ...toHeaderParameters(headers, settings)];
  return {
    summary,
    security: security.map((scheme) => ({ [scheme]: [] })),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: toRequestBody(body) }),
    responses: toResponses(body === undefined ? responses : { ...bodyResponses, ...responses }, settings),
  };
}

function toPathParameters(path: string): readonly Json[] {
  return Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function toHeaderParameters(headers: readonly HeaderDescription[], settings: Settings<AuthUser>): readonly Json[] {
  return Object.entries(toHeaders(headers, settings)).map(([name, header]) => ({ name, in: "header", ...header }));
}

/** By the headers' names. */
function toHeaders(
  headers: readonly HeaderDescription[],
  settings: Settings<AuthUser>,
): Readonly<Record<string, Json>> {
  return Object.fromEntries(
    headers.map(({ name, description, schema }) => [
      typeof name === "string" ? name : name(settings),
      { description, schema: toJsonSchema(schema) },
    ]),
  );
}

function toRequestBody({ schema, accepts }: NonNullable<Endpoint["body"]>): Json {
  const mediaType = { schema: toJsonSchema(schema) };
  return {
    required: !schema.safeParse({}).success,
    content: Object.fromEntries(accepts.map((accepted) => [accepted, mediaType])),
  };
}

function toResponses(responses: Readonly<Record<number, ResponseDescription>>, settings: Settings<AuthUser>): Json {
  return Object.fromEntries(
    Object.entries(responses).map(([status, { description, headers, schema }]) => [
      status,
      {
        description,
        ...(headers === undefined ? {} : { headers: toHeaders(headers, settings) }),
        ...(schema === undefined ? {} : { content: { "application/json": { schema: toJsonSchema(schema) } } }),
      },
    ]),
  );
}

function toSecuritySchemes(settings: Settings<AuthUser>): Json {
  const { authHeaderName, authHeaderTypes } = settings;
  const { access, refresh } = toCookieNames(settings);
  const isBearer = authHeaderName.toLowerCase() === "authorization" && authHeaderTypes[0]?.toLowerCase() === "bearer";
  return {
    bearer: isBearer
      ? { type: "http", scheme: "bearer", bearerFormat: "JWT" }
      : { type: "apiKey", in: "header", name: authHeaderName, description: `${authHeaderTypes[0]} and the token.` },
    cookie: { type: "apiKey", in: "cookie", name: access },
    refreshCookie: { type: "apiKey", in: "cookie", name: refresh },
  };
}

/**
 * JSON Schema 2020-12, which is OpenAPI 3.1's own dialect, of what a client may send or must expect: with more members
 * than today's.
 */
function toJsonSchema(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      // A field that accepts more than it documents, such as a number as text, counts as optional unless told.
      if (zodSchema instanceof z.ZodObject) jsonSchema.required = toRequiredFields(zodSchema);
    },
  });
  return rest;
}

function toRequiredFields({ shape }: z.ZodObject): string[] {
  return Object.entries(shape).flatMap(([name, field]) => (z.safeParse(field, undefined).success ? [] : [name]));
}
