import type { BodyDescription, MediaType } from "../endpoint.ts";
import { parseFields } from "./fields.ts";
import { JsonNumber, parseJson, toPythonTypeName } from "./json.ts";
import { fieldErrors, RequestError } from "./request-error.ts";

/** The most that a body may have. */
const maxBytes = 16_384;

/** Both ways into one request's body; the bytes are read once. */
export interface BodyReader<B> {
  requireMediaType(): Promise<void>;
  readBody(): Promise<B>;
}

/** A reader of what `description` accepts; without one there are no fields to be had and the body stays unread. */
export function createBodyReader<B>(request: Request, description: BodyDescription<B> | undefined): BodyReader<B> {
  let body: Promise<RawBody> | undefined;
  const readRaw = ({ accepts }: BodyDescription<B>) => {
    body ??= readRawBody(request, accepts);
    return body;
  };
  return {
    async requireMediaType(): Promise<void> {
      if (description !== undefined) await readRaw(description);
    },
    async readBody(): Promise<B> {
      if (description === undefined) throw new TypeError("this endpoint has no body");
      return parseFields(description.schema, toFields(await parseRawBody(await readRaw(description))));
    },
  };
}

/** Bytes of an accepted media type; `null` is no body at all. */
interface RawBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  readonly mediaType: MediaType | null;
}

async function readRawBody(request: Request, accepts: readonly MediaType[]): Promise<RawBody> {
  const bytes = await readBytes(request);
  const contentType = request.headers.get("Content-Type") ?? "";
  if (bytes.length === 0) return { bytes, contentType, mediaType: null };
  // RFC 9110 §8.3.1: parameters follow a semicolon, case does not count. JSON and forms are UTF-8 whatever `charset` says.
  const essence = contentType.split(";", 1)[0]?.trim().toLowerCase();
  const mediaType = accepts.find((accepted) => accepted === essence);
  if (mediaType === undefined) {
    throw new RequestError(415, { detail: `Unsupported media type "${contentType}" in request.` });
  }
  return { bytes, contentType, mediaType };
}

async function readBytes(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  if (request.bodyUsed) throw new TypeError("the request's body was read before tokenpair got it");
  const announced = request.headers.get("Content-Length");
  if (Number(announced) > maxBytes) throw tooLarge();
  try {
    // HTTP's own parser holds a body to its announced length, so it can be taken whole, without a stream in between.
    if (announced !== null) return requireSize(new Uint8Array(await request.arrayBuffer()));
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
  // The reasons are ours: an engine's own quote the body, and with it passwords.
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
