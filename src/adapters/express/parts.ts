import type { IncomingMessage, ServerResponse } from "node:http";
import type { AnyCors, CorsOptions } from "../../index.ts";
import { sendCors } from "../node/parts.ts";

/** A middleware for Express and for compatible frameworks. */
export type Middleware = (
  // Without `body`: Express would give its type to the handlers that follow.
  req: IncomingMessage & { auth?: unknown; originalUrl?: string; rawBody?: Buffer },
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** Converts the result of a body parser back to bytes. */
export function toRawBody(body: unknown, headers: IncomingMessage["headers"]): Buffer {
  // Of express.raw and express.text.
  if (Buffer.isBuffer(body)) return body;
  if (typeof body === "string") return Buffer.from(body);
  const isForm = headers["content-type"]?.startsWith("application/x-www-form-urlencoded");
  return Buffer.from(isForm ? new URLSearchParams(body as Record<string, string>).toString() : JSON.stringify(body));
}

/**
 * Returns a middleware that allows pages from `trustedOrigins` to use your own routes. Mount it before these routes and
 * before `requireUser`.
 *
 * @example
 * app.use(cors(auth));
 */
export function cors(auth: AnyCors, options?: CorsOptions): Middleware {
  return (req, res, next) => {
    if (!sendCors(auth, req, res, options)) next();
  };
}
