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
    return new SocketRefusal(response.status, (await readBody(response)) as Readonly<Record<string, unknown>>);
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

/** Returns the body: an object if it is JSON, as the refusals of the HTTP contract are. */
export async function readBody(response: Response): Promise<object | string> {
  const isJson = response.headers.get("Content-Type")?.includes("json") === true;
  return isJson ? ((await response.json()) as object) : response.text();
}
