import { expect } from "vitest";
import type { AuthErrorCode } from "../../src/core/errors.ts";
import type { Session } from "../../src/core/session.ts";
import type { AuthEvent } from "../../src/events/events.ts";
import { login } from "../../src/flows/login.ts";
import type { Issued, IssueOptions } from "../../src/flows/sessions/issue.ts";
import { alice, type TestAuth } from "../support/auth.ts";

/** Starts a session of alice through the login flow. */
export const logIn = (auth: Pick<TestAuth, "deps">, options?: IssueOptions): Promise<Issued> =>
  login(auth.deps, alice, options);

/** Returns a session's row. */
export async function rowOf({ store }: Pick<TestAuth, "store">, sessionId: string): Promise<Session> {
  const found = await store.sessions.find(sessionId);
  if (found === null) throw new Error("no such session");
  return found.session;
}

/** Returns the events of one type, in order. */
export const eventsOf = <T extends AuthEvent["type"]>({ events }: Pick<TestAuth, "events">, type: T) =>
  events.filter((event): event is Extract<AuthEvent, { type: T }> => event.type === type);

/** Expects an `AuthError` with this code and, by default, one that does not prove the session to be over. */
export async function expectRefused(
  attempt: Promise<unknown>,
  code: AuthErrorCode,
  more: { readonly reason?: string | RegExp; readonly sessionEnded?: boolean } = {},
): Promise<void> {
  const { reason, sessionEnded = false } = more;
  await expect(attempt).rejects.toMatchObject({
    name: "AuthError",
    code,
    sessionEnded,
    ...(reason === undefined ? {} : { reason: expect.stringMatching(reason) }),
  });
}
