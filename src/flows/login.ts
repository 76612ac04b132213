import type { ClientInfo } from "../core/client-info.ts";
import { AuthError } from "../core/errors.ts";
import { createDeviceToken } from "../crypto/device-tokens.ts";
import type { LoginFailedEvent } from "../events/events.ts";
import type { Deps } from "./deps.ts";
import { callHook } from "./hook.ts";
import { type Issued, type IssueOptions, startSession } from "./issue.ts";
import { rehashPassword } from "./passwords/rehash.ts";
import { acceptAttempt, admitAttempt, rejectAttempt, undoAttempt } from "./throttling/login-throttle.ts";
import { type LoginCandidate, mayHaveTokens, type VerifiedUser } from "./user-source.ts";

/** A username and a password. */
export interface Credentials {
  /** Surrounding white space is ignored. */
  readonly username: string;
  /** Used exactly as given. */
  readonly password: string;
}

/** How to log in. */
export interface LoginOptions extends IssueOptions {
  /** The `device` that this device got at its last login. Other people's failed logins then don't count against it. */
  readonly device?: string | undefined;
}

/** A new session that began with a password. */
export interface LoggedIn extends Issued {
  /** For this device to store, also after a logout, and to send at its next login. */
  readonly device: string;
}

/**
 * Checks a password and starts a session: identify, admit the attempt, verify, settle the attempt, issue. An unknown user, a
 * wrong password and an inactive user get the same answer in the same time.
 *
 * @throws AuthError `no_active_account`; `throttled`, with `retryAfter`; `unavailable`, with nothing changed.
 */
export async function login(deps: Deps, credentials: Credentials, options: LoginOptions = {}): Promise<LoggedIn> {
  const { client = {} } = options;
  const candidate = await identify(deps, credentials.username, client);
  try {
    return await loginAs(deps, candidate, credentials.password, options);
  } catch (error) {
    const { userId } = candidate;
    await reportLoginFailure(deps, error, { client, ...(userId === null ? {} : { userId }) });
    throw error;
  }
}

async function loginAs(
  deps: Deps,
  candidate: LoginCandidate,
  password: string,
  { device, ...options }: LoginOptions,
): Promise<LoggedIn> {
  const { client = {} } = options;
  const attempt = await admitAttempt(deps, candidate, { client, device: { token: device } });
  const verified = await verifyCandidate(deps, candidate, password).catch(async (error: unknown) => {
    await undoAttempt(deps, attempt);
    throw error;
  });
  if (verified === null || !verified.isAllowed) {
    rejectAttempt(deps, attempt);
    const reason = verified === null ? "unknown user or wrong password" : "the user may not log in";
    throw new AuthError("no_active_account", reason);
  }
  await acceptAttempt(deps, attempt, verified.user);

  await callHook("onLoginSuccess", async () => deps.settings.onLoginSuccess?.(verified.user, client));
  const issued = await startSession(deps, verified, options);
  if (verified.outdatedHash !== undefined) {
    await rehashPassword(deps, verified.user.id, verified.outdatedHash, client);
  }
  return { ...issued, device: createDeviceToken(deps.deviceKey, candidate.usernameKey, deps.random) };
}

/** Finds out who wants to log in. A full hash queue refuses first, so that a refusal costs no lookup. */
async function identify(deps: Deps, username: string, client: ClientInfo): Promise<LoginCandidate> {
  try {
    if (deps.users.isOwn) deps.passwords.requireRoom();
  } catch (error) {
    await reportLoginFailure(deps, error, { client });
    throw error;
  }
  return deps.users.identify(username);
}

async function verifyCandidate(
  { users, settings }: Deps,
  candidate: LoginCandidate,
  password: string,
): Promise<(VerifiedUser & { readonly isAllowed: boolean }) | null> {
  const verified = await users.verify(candidate, password);
  return verified === null ? null : { ...verified, isAllowed: mayHaveTokens(settings, verified.user) };
}

/** Reports a refused password to the listeners and to the application. Errors that `onLoginFailed` throws are ignored. */
export async function reportLoginFailure(
  deps: Deps,
  error: unknown,
  subject: Pick<LoginFailedEvent, "userId" | "sessionId" | "client">,
): Promise<void> {
  if (!(error instanceof AuthError)) return;
  // A throttled attempt has an event of its own, which says more.
  if (error.code !== "throttled") {
    deps.emit({ type: "login_failed", time: deps.clock.now(), code: error.code, reason: error.reason, ...subject });
  }
  try {
    await deps.settings.onLoginFailed?.(error, subject.client);
  } catch {
    // The answer to the client does not depend on the application's bookkeeping.
  }
}
