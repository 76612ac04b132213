import { HttpException } from "@nestjs/common";
import { toNodeHeaders } from "../node/parts.ts";
import { readBody } from "./socket-refusal.ts";

/** What a response of Express and a reply of Fastify have in common. */
interface HeadersLike {
  /** Sets a header. */
  header(name: string, value: unknown): unknown;
}

/**
 * Refuses a request by an exception, so that the application's filters see it. Without a filter, Nest sends the body.
 *
 * @throws HttpException with the status and the body of the HTTP contract.
 */
export async function refuseRequest(response: Response, reply: HeadersLike): Promise<never> {
  const body = await readBody(response);
  for (const [name, value] of Object.entries(toNodeHeaders(response.headers))) {
    const isOfBody = name === "content-length" || (name === "content-type" && typeof body === "object");
    if (!isOfBody) reply.header(name, value);
  }
  throw new HttpException(body, response.status);
}
