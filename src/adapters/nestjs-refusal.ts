import { HttpException } from "@nestjs/common";
import { toNodeHeaders } from "./node-parts.ts";

/** Why a socket, or a message of one, is refused. */
export class SocketRefusal {
  /** The status that a request would get. */
  readonly status: number;
  /** `detail` and `code` of the HTTP contract. */
  readonly body: Readonly<Record<string, unknown>>;

  /** Creates the refusal of a status and a body. */
  constructor(status: number, body: Readonly<Record<string, unknown>>) {
    this.status = status;
    this.body = body;
  }

  /** Converts the response that would refuse a request. */
  static async of(response: Response): Promise<SocketRefusal> {
    return new SocketRefusal(response.status, (await toBody(response)) as Readonly<Record<string, unknown>>);
  }

  /** Converts the reason of an aborted signal. */
  static ofReason({ code = "unavailable" }: { readonly code?: string }): SocketRefusal {
    return new SocketRefusal(code === "unavailable" ? 503 : 401, { detail: "Token is no longer valid", code });
  }

  /** The code that closes a WebSocket: "try again later" if this node can't know. */
  get closeCode(): number {
    return this.status === 503 ? 1013 : 4401;
  }
}

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
  const body = await toBody(response);
  for (const [name, value] of Object.entries(toNodeHeaders(response.headers))) {
    const isOfBody = name === "content-length" || (name === "content-type" && typeof body === "object");
    if (!isOfBody) reply.header(name, value);
  }
  throw new HttpException(body, response.status);
}

/** Returns the body: an object if it is JSON, as the refusals of the HTTP contract are. */
async function toBody(response: Response): Promise<object | string> {
  const isJson = response.headers.get("Content-Type")?.includes("json") === true;
  return isJson ? ((await response.json()) as object) : response.text();
}
