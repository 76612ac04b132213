/** A pair as the token endpoints give it. */
export interface Pair {
  readonly access: string;
  readonly refresh: string;
}

export interface Answer {
  readonly status: number;
  readonly body: Partial<Pair> & { readonly detail?: string; readonly code?: string };
  readonly replayed: boolean;
}

/** Posts JSON and reads the answer. @throws TypeError where the connection fails. */
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

/** Refreshes through the token endpoint; `idempotencyKey` is the `Idempotency-Key`. */
export function postRefresh(url: string, refresh: string, idempotencyKey?: string): Promise<Answer> {
  return post(
    `${url}/api/token/refresh/`,
    { refresh },
    idempotencyKey === undefined ? {} : { "Idempotency-Key": idempotencyKey },
  );
}

/** Asks whether an access token is in force, which a server answers from memory; the status. */
export async function verifyAccess(url: string, access: string): Promise<number> {
  return (await post(`${url}/api/token/verify/`, { token: access })).status;
}

/** The pair in a successful answer. */
export function toPair({ status, body }: Answer): Pair {
  if (status !== 200 || body.access === undefined || body.refresh === undefined) {
    throw new Error(`no pair in an answer with ${status}: ${body.detail}`);
  }
  return { access: body.access, refresh: body.refresh };
}
