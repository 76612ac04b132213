import { expect } from "vitest";

/** The challenge to a request without a token. */
export const plainChallenge = 'Bearer realm="api"';

/** The challenge to a request whose token is not valid. */
export const tokenChallenge = 'Bearer realm="api", error="invalid_token"';

/** The body of a 401 to a token that was rotated away or revoked. */
export const blacklisted = { detail: "Token is blacklisted", code: "token_not_valid" };

interface Refusal {
  readonly status: number;
  readonly body: unknown;
  /** The `WWW-Authenticate` header. */
  readonly challenge: string | null;
}

/** Expects exactly this refusal. */
export async function expectRefusal(response: Response, { status, body, challenge }: Refusal): Promise<void> {
  expect(await response.json()).toEqual(body);
  expect(response.status).toBe(status);
  expect(response.headers.get("WWW-Authenticate")).toBe(challenge);
}
