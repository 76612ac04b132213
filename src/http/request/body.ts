import type { z } from "zod";
import { parseFields } from "./fields.ts";
import { JsonNumber, parseJson, toPythonTypeName } from "./json.ts";
import { type MediaType, readMediaType } from "./media-types.ts";
import { fieldErrors, RequestError } from "./request-error.ts";

/** The length of the longest body that is accepted, in bytes. */
const maxBytes = 16_384;

/** The body that an endpoint accepts. */
export interface BodyDescription<B> {
  /** The schema of the body: an object whose fields are created with `fields.ts`. */
  readonly schema: z.ZodType<B>;
  /** The media types that the endpoint accepts. */
  readonly accepts: readonly MediaType[];
  /** The fields of a form, if they differ from those of JSON. Default: `schema`. */
  readonly formSchema?: z.ZodType<B>;
}

/** Reads the body of one request. The bytes are read only once, no matter which methods are called. */
export interface BodyReader<B> {
  /**
   * Reads the bytes, if the endpoint has a body, and checks their size and media type.
   *
   * @throws RequestError 400 if the body can't be read, 413 if it is too large, 415 if its media type is not accepted.
   */
  requireMediaType(): Promise<void>;
  /**
   * Returns the fields of the body, after the checks of `requireMediaType`.
   *
   * @throws RequestError like `requireMediaType`, and also 400 if the body can't be parsed or a field is invalid.
   */
  readBody(): Promise<B>;
  /**
   * Returns the body's fields as the client has sent them, after the checks of `requireMediaType`. The fields aren't checked.
   *
   * @throws RequestError as `requireMediaType`, and 400 if the body can't be parsed.
   */
  readFields(): Promise<Readonly<Record<string, unknown>>>;
}

/** Creates a reader for the body that `description` accepts. Without a description, it doesn't read the body. */
export function createBodyReader<B>(request: Request, description: BodyDescription<B> | undefined): BodyReader<B> {
  let body: Promise<RawBody> | undefined;
  const readRaw = ({ accepts }: BodyDescription<B>) => {
    body ??= readRawBody(request, accepts);
    return body;
  };
  const requireDescription = () => {
    if (description === undefined) throw new TypeError("this endpoint has no body");
    return description;
  };
  return {
    async requireMediaType(): Promise<void> {
      if (description !== undefined) await readRaw(description);
    },
    async readBody(): Promise<B> {
      const { schema, formSchema = schema } = requireDescription();
      const raw = await readRaw(requireDescription());
      const isForm = raw.mediaType !== null && raw.mediaType !== "application/json";
      return parseFields(isForm ? formSchema : schema, toFields(await parseRawBody(raw)));
    },
    async readFields(): Promise<Readonly<Record<string, unknown>>> {
      return toFields(await parseRawBody(await readRaw(requireDescription())));
    },
  };
}

/** A body that has been read but not parsed. */
interface RawBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  /** The media type, or `null` if there is no body. */
  readonly mediaType: MediaType | null;
}

async function readRawBody(request: Request, accepts: readonly MediaType[]): Promise<RawBody> {
  const bytes = await readBytes(request);
  const contentType = request.headers.get("Content-Type") ?? "";
  if (bytes.length === 0) return { bytes, contentType, mediaType: null };
  const essence = readMediaType(request.headers);
  const mediaType = accepts.find((accepted) => accepted === essence);
  if (mediaType === undefined) {
    throw new RequestError(415, { detail: `Unsupported media type "${contentType}" in request.` });
  }
  return { bytes, contentType, mediaType };
}

async function readBytes(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  if (request.bodyUsed)
    throw new TypeError(
      "the request's body has already been read. Pass the request to tokenpair before other code reads it",
    );
  const declared = request.headers.get("Content-Length");
  if (Number(declared) > maxBytes) throw tooLarge();
  try {
    // The HTTP parser enforces Content-Length, so the body can be read at once, without a stream.
    if (declared !== null) return requireSize(new Uint8Array(await request.arrayBuffer()));
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of request.body ?? []) {
      size += chunk.byteLength;
      if (size > maxBytes) throw tooLarge();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw new RequestError(400, { detail: "Request body could not be read.", code: "bad_request" });
  }
}

function requireSize(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length > maxBytes) throw tooLarge();
  return bytes;
}

async function parseRawBody({ bytes, contentType, mediaType }: RawBody): Promise<unknown> {
  switch (mediaType) {
    case null:
      return {};
    case "application/json":
      return parseJsonBody(bytes);
    case "application/x-www-form-urlencoded":
      return Object.fromEntries(new URLSearchParams(new TextDecoder().decode(bytes)));
    case "multipart/form-data":
      return parseMultipartBody(bytes, contentType);
  }
}

function parseJsonBody(bytes: Uint8Array): unknown {
  // An engine's own messages quote the body, and passwords with it.
  const refuse = (reason: string) => new RequestError(400, { detail: `JSON parse error - ${reason}` });
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw refuse("invalid UTF-8");
  }
  try {
    return parseJson(text);
  } catch (error) {
    throw refuse(error instanceof RangeError ? "nested too deeply" : "invalid JSON");
  }
}

async function parseMultipartBody(bytes: Uint8Array<ArrayBuffer>, contentType: string): Promise<unknown> {
  try {
    return Object.fromEntries(await new Response(bytes, { headers: { "Content-Type": contentType } }).formData());
  } catch {
    throw new RequestError(400, { detail: "Multipart form parse error - invalid multipart" });
  }
}

function toFields(data: unknown): Readonly<Record<string, unknown>> {
  if (data === null) throw fieldErrors({ non_field_errors: ["No data provided"] });
  if (typeof data !== "object" || Array.isArray(data) || data instanceof JsonNumber) {
    const message = `Invalid data. Expected a dictionary, but got ${toPythonTypeName(data)}.`;
    throw fieldErrors({ non_field_errors: [message] });
  }
  return data as Record<string, unknown>;
}

const tooLarge = () => new RequestError(413, { detail: "Request body is too large.", code: "too_large" });
