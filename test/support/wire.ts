/** A token pair, as the token endpoints send it. */
export interface Pair {
  readonly access: string;
  readonly refresh: string;
}

/** A response of a token endpoint. */
export interface Answer {
  readonly status: number;
  readonly body: Partial<Pair> & { readonly detail?: string; readonly code?: string };
  /** Whether the response had `Token-Replayed: true`. */
  readonly replayed: boolean;
}

/** Posts JSON and reads the response. @throws TypeError if the connection fails. */
export async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    body: await response.json(),
    replayed: response.headers.get("Token-Replayed") === "true",
  };
}

/** Refreshes through the token endpoint. */
export function postRefresh(url: string, refresh: string, idempotencyKey?: string): Promise<Answer> {
  return post(
    `${url}/api/token/refresh/`,
    { refresh },
    idempotencyKey === undefined ? {} : { "Idempotency-Key": idempotencyKey },
  );
}

/** Posts an access token to the verify endpoint, which answers from memory. Returns the status. */
export async function verifyAccess(url: string, access: string): Promise<number> {
  return (await post(`${url}/api/token/verify/`, { token: access })).status;
}

/** Returns the token pair of a successful response. @throws Error if the response has none. */
export function toPair({ status, body }: Answer): Pair {
  if (status !== 200 || body.access === undefined || body.refresh === undefined) {
    throw new Error(`no token pair in a response with status ${status}: ${body.detail}`);
  }
  return { access: body.access, refresh: body.refresh };
}
