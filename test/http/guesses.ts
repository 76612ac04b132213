import { expect } from "vitest";
import { alice, type TestAuth } from "../support/auth.ts";

type Send = TestAuth["send"];

/** Returns a `send` whose requests come from the address `ip`, with `forwarded` as X-Forwarded-For. */
export function sendFrom({ handler }: Pick<TestAuth, "handler">, ip: string, forwarded?: string): Send {
  return (method, path, { headers, body } = {}) => {
    const all = new Headers(headers);
    if (body !== undefined) all.set("Content-Type", "application/json");
    if (forwarded !== undefined) all.set("X-Forwarded-For", forwarded);
    const init = { method, headers: all, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    return handler.fetch(new Request(`https://auth.example${path}`, init), { ip });
  };
}

/** Tries to log in as alice with a wrong password, or with other credentials. */
export const guess = (send: Send, credentials: object = {}): Promise<Response> =>
  send("POST", "/api/token/", { body: { ...alice, password: "wrong", ...credentials } });

/** Returns the statuses of `times` guesses, one after the other. */
export async function guessTimes(times: number, toSend: (n: number) => Send): Promise<readonly number[]> {
  const statuses = [];
  for (let n = 0; n < times; n++) statuses.push((await guess(toSend(n))).status);
  return statuses;
}

/** Expects the 429 of a login. */
export async function expectThrottled(response: Response, seconds: number): Promise<void> {
  expect([response.status, response.headers.get("Retry-After")]).toEqual([429, String(seconds)]);
  const detail = `Too many login attempts. Try again in ${seconds} seconds.`;
  expect(await response.json()).toEqual({ detail, code: "throttled" });
}
