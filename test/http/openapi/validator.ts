import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { standardHeaders } from "../../../src/http/response/json.ts";

/** A JSON Schema, or a part of one. */
interface Schema {
  readonly [keyword: string]: unknown;
}

interface Header {
  readonly schema: Schema;
  readonly required?: boolean;
}

/** A response, as the document describes it. */
interface DocumentedResponse {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Header>>;
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

/** An operation, as the document describes it. */
export interface DocumentedOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly tags?: readonly string[];
  readonly responses: Readonly<Record<string, DocumentedResponse>>;
}

/** The OpenAPI document, as far as the tests read it. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly servers: readonly { readonly url: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  readonly components: { readonly securitySchemes: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
}

/** An operation with its method, in upper case, and its path. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operation: DocumentedOperation;
}

/** Returns the operations of a document, in its order. */
export function toOperations({ paths }: OpenApiDocument): readonly Operation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
}

/** Headers that any response may have, besides those of `standardHeaders`. */
const commonHeaders = new Set([
  "content-type",
  "vary",
  ...Object.keys(standardHeaders).map((name) => name.toLowerCase()),
]);

const isCommon = (name: string) => commonHeaders.has(name) || name.startsWith("access-control-");

/** Finds what a response and the document disagree about. */
export interface Validator {
  /** Returns one sentence for each disagreement. Leaves the response's body unread. */
  findFaults(operation: DocumentedOperation, response: Response): Promise<readonly string[]>;
}

/** Creates a validator. Compiles every schema strictly, so that an unknown keyword or format is an error. */
export function createValidator(): Validator {
  const ajv = new Ajv2020({ strict: true, allErrors: true, formats: { password: true } });
  const compiled = new Map<Schema, ValidateFunction>();

  function validate(schema: Schema, value: unknown): string | null {
    const check = compiled.get(schema) ?? ajv.compile(toClosed(schema));
    compiled.set(schema, check);
    return check(value) ? null : ajv.errorsText(check.errors);
  }

  function* findHeaderFaults({ headers = {} }: DocumentedResponse, response: Response): Generator<string> {
    const documented = new Map(Object.entries(headers).map(([name, header]) => [name.toLowerCase(), header]));
    for (const [name, text] of response.headers) {
      const header = documented.get(name);
      if (header === undefined) {
        if (!isCommon(name)) yield `the header ${name} is not documented`;
        continue;
      }
      const fault = validate(header.schema, header.schema["type"] === "integer" ? Number(text) : text);
      if (fault !== null) yield `the header ${name}: ${fault}`;
    }
    for (const [name, { required }] of documented) {
      if (required === true && !response.headers.has(name)) yield `the header ${name} is missing`;
    }
  }

  async function findBodyFault({ content }: DocumentedResponse, response: Response): Promise<string | null> {
    if (response.body === null) return content === undefined ? null : "the body is missing";
    const type = response.headers.get("Content-Type") ?? "";
    // A binary body has no schema, and may have no end.
    if (content?.[type] !== undefined && content[type].schema === undefined) return null;
    const text = await response.clone().text();
    if (content === undefined) return text === "" ? null : "the body is not documented";
    const schema = content[type]?.schema;
    if (schema === undefined) return `the media type ${type} is not documented`;
    const fault = validate(schema, JSON.parse(text));
    return fault === null ? null : `the body: ${fault}`;
  }

  return {
    async findFaults({ responses }, response) {
      const documented = responses[response.status];
      if (documented === undefined) return [`the status ${response.status} is not documented`];
      const bodyFault = await findBodyFault(documented, response);
      return [...findHeaderFaults(documented, response), ...(bodyFault === null ? [] : [bodyFault])];
    },
  };
}

/** Returns a schema that refuses members that it does not name. The document's are open, so that fields can be added. */
function toClosed(schema: Schema): Schema {
  const isOpenObject = schema["type"] === "object" && !("additionalProperties" in schema);
  return { ...closeParts(schema), ...(isOpenObject ? { additionalProperties: false } : {}) };
}

function closeParts(schema: Schema): Schema {
  return Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, closePart(part)]));
}

function closePart(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(closePart);
  return typeof part === "object" && part !== null ? toClosed(part as Schema) : part;
}
