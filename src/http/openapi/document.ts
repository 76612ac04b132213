import { z } from "zod";
import { toCookieNames } from "../../core/settings/cookie-names.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { AuthUser } from "../../core/user.ts";
import type { BodyDescription } from "../request/body.ts";
import type { EndpointDescription, HeaderDescription, ResponseDescription } from "./description.ts";
import { badRequest, detailSchema, errorSchema, methodNotAllowed, statusHeaders } from "./responses.ts";
import { serverEndpoints } from "./server-endpoints.ts";

type Json = Readonly<Record<string, unknown>>;

/** The responses that every endpoint with a body has. */
const bodyResponses: Readonly<Record<number, ResponseDescription>> = {
  400: badRequest,
  413: { description: "The body is larger than 16 KiB.", schema: errorSchema },
  415: { description: "The media type of the body is not supported.", schema: detailSchema },
};

/** The tag of the endpoints that only `tokenpair serve` has. */
const serverTag = "tokenpair serve";

/**
 * Returns the OpenAPI 3.1 document of `endpoints`. It also describes the server's endpoints, under their own tag. The same
 * endpoints and settings always give the same document.
 */
export function toOpenApiDocument(endpoints: readonly EndpointDescription[], settings: Settings<AuthUser>): Json {
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
    servers: [{ url: settings.publicPath ?? "/", description: "The server that returned this document." }],
    tags: [{ name: serverTag, description: "Only in the server, not in the library." }],
    paths,
    components: { securitySchemes: toSecuritySchemes(settings) },
  };
}

/**
 * Returns the path with a trailing slash, which is the form that simplejwt's clients use. Paths that a standard registers
 * have no trailing slash.
 */
function toDocumentedPath(path: string): string {
  return path.startsWith("/.well-known/") ? path : `${path}/`;
}

function toOperation(endpoint: EndpointDescription, path: string, settings: Settings<AuthUser>): Json {
  const { operationId, summary, description, headers = [], query = [], body, security = [] } = endpoint;
  const responses = {
    ...(body === undefined ? {} : bodyResponses),
    ...(endpoint.isCatchAll ? {} : { 405: methodNotAllowed }),
    ...endpoint.responses,
  };
  const parameters = [
    ...toPathParameters(path),
    ...query.map(({ schema, ...parameter }) => ({ ...parameter, in: "query", schema: toJsonSchema(schema) })),
    ...toHeaderParameters(headers, settings),
  ];
  return {
    operationId,
    summary,
    ...(description === undefined ? {} : { description }),
    security: security.map((scheme) => ({ [scheme]: [] })),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: toRequestBody(body) }),
    responses: toResponses(responses, settings),
  };
}

function toPathParameters(path: string): readonly Json[] {
  // The part before names what the id is of, such as "sessions".
  return Array.from(path.matchAll(/(\w+)s\/\{(\w+)\}/g), ([, thing, name]) => ({
    name,
    in: "path",
    required: true,
    description: `The id of a ${thing}.`,
    schema: { type: "string" },
  }));
}

function toHeaderParameters(headers: readonly HeaderDescription[], settings: Settings<AuthUser>): readonly Json[] {
  return Object.entries(toHeaders(headers, settings)).map(([name, header]) => ({ name, in: "header", ...header }));
}

/** Returns the headers by name. */
function toHeaders(
  headers: readonly HeaderDescription[],
  settings: Settings<AuthUser>,
): Readonly<Record<string, Json>> {
  return Object.fromEntries(
    headers.map(({ name, description, schema, required }) => [
      typeof name === "string" ? name : name(settings),
      { description, ...(required === undefined ? {} : { required }), schema: toJsonSchema(schema) },
    ]),
  );
}

function toRequestBody({ schema, formSchema = schema, accepts }: BodyDescription<unknown>): Json {
  const [json, form] = [{ schema: toJsonSchema(schema) }, { schema: toJsonSchema(formSchema) }];
  return {
    required: !schema.safeParse({}).success,
    content: Object.fromEntries(accepts.map((type) => [type, type === "application/json" ? json : form])),
  };
}

function toResponses(responses: Readonly<Record<number, ResponseDescription>>, settings: Settings<AuthUser>): Json {
  return Object.fromEntries(
    Object.entries(responses).map(([status, { description, headers: own = [], ...body }]) => {
      const headers = [...(statusHeaders[status] ?? []), ...own];
      return [
        status,
        {
          description,
          ...(headers.length === 0 ? {} : { headers: toHeaders(headers, settings) }),
          ...toContent(body),
        },
      ];
    }),
  );
}

/** OpenAPI 3.1 leaves out the schema of a body that isn't JSON. */
function toContent({ schema, mediaType = "application/json", binary = [] }: Partial<ResponseDescription>): Json {
  const others = [binary].flat().map((type) => [type, {}] as const);
  const json = schema === undefined ? [] : [[mediaType, { schema: toJsonSchema(schema) }] as const];
  const content = [...json, ...others];
  return content.length === 0 ? {} : { content: Object.fromEntries(content) };
}

function toSecuritySchemes(settings: Settings<AuthUser>): Json {
  const { authHeaderName, authHeaderTypes } = settings;
  const { access, refresh } = toCookieNames(settings);
  const isBearer = authHeaderName.toLowerCase() === "authorization" && authHeaderTypes[0]?.toLowerCase() === "bearer";
  return {
    bearer: isBearer
      ? { type: "http", scheme: "bearer", bearerFormat: "JWT" }
      : {
          type: "apiKey",
          in: "header",
          name: authHeaderName,
          description: `${authHeaderTypes[0]}, a space and the access token.`,
        },
    cookie: { type: "apiKey", in: "cookie", name: access },
    refreshCookie: { type: "apiKey", in: "cookie", name: refresh },
    serviceBasic: {
      type: "http",
      scheme: "basic",
      description: "The name of the service, and its credential as the password.",
    },
    serviceBearer: { type: "http", scheme: "bearer", description: "The credential of the service." },
  };
}

/**
 * Converts a schema to JSON Schema 2020-12, the dialect of OpenAPI 3.1. Objects may have additional members: unknown fields
 * in requests are ignored, and later versions may add fields to responses.
 */
function toJsonSchema(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      // zod lists a preprocessed field as optional, because its input may be anything.
      if (zodSchema instanceof z.ZodObject) jsonSchema.required = toRequiredFields(zodSchema);
    },
  });
  return rest;
}

function toRequiredFields({ shape }: z.ZodObject): string[] {
  return Object.entries(shape).flatMap(([name, field]) => (z.safeParse(field, undefined).success ? [] : [name]));
}
