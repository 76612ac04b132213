import { AuthError } from "../core/errors.ts";
import type { LoginFailedEvent } from "../core/events.ts";
import { toUsernameKey } from "../core/username.ts";
import { createDeviceToken } from "../crypto/device-tokens.ts";
import type { Deps } from "./deps.ts";
import { ask } from "./hooks.ts";
import { type Issued, type IssueOptions, issue, requireMayHaveTokens } from "./issue.ts";
import { rehashPassword } from "./passwords/rehash.ts";
import { countAttempt } from "./throttling/login-throttle.ts";
import type { VerifiedUser } from "./user-source.ts";

export interface Credentials {
  /** Surrounding white space is not part of it. */
  readonly username: string;
  /** Exactly as typed. */
  readonly password: string;
}

export interface LoginOptions extends IssueOptions {
  /** The `device` that this device was given at its last login: it keeps others' guesses from counting against it. */
  readonly device?: string | undefined;
}

export interface LoggedIn extends Issued {
  /** To be kept by this device, also beyond a logout, and shown at its next login. */
  readonly device: string;
}

/**
 * Checks a password and starts a session. An unknown user, a wrong password and an inactive user give the same answer
 * in the same time; too many failures are throttled, whoever of them is behind the name.
 *
 * @throws AuthError `no_active_account`; `throttled`, with `retryAfter`; `unavailable`, with nothing changed.
 */
export async function login(
  deps: Deps,
  { username, password }: Credentials,
  { device: token, ...options }: LoginOptions = {},
): Promise<LoggedIn> {
  const origin = options.origin ?? {};
  const attempt = { username: username.trim(), origin, device: { token } };
  let userId: string | null = null;
  try {
    // Here too, so that what a storm is refused costs no counting either.
    if (deps.users.isOwn) deps.passwords.requireRoom();
    const found = await countAttempt(deps, attempt, (known) => {
      userId = known;
      return verify(deps, attempt.username, password);
    });
    if (found === null) throw new AuthError("no_active_account", "unknown user or wrong password");
    await ask("onLoginSuccess", async () => deps.settings.onLoginSuccess?.(found.user, origin));
    const issued = await issue(deps, found, options);
    if (found.outdatedHash !== undefined) await rehashPassword(deps, found.user.id, found.outdatedHash, origin);
    const usernameKey = toUsernameKey(username, deps.settings.usernameCaseSensitive);
    return { ...issued, device: createDeviceToken(deps.deviceKey, usernameKey, deps.random) };
  } catch (error) {
    if (error instanceof AuthError)
      await reportLoginFailure(deps, error, { origin, ...(userId === null ? {} : { userId }) });
    throw error;
  }
}

async function verify(deps: Deps, username: string, password: string): Promise<VerifiedUser | null> {
  const found = await deps.users.verify(username, password);
  if (found !== null) requireMayHaveTokens(deps, found.user);
  return found;
}

/** Tells the listeners and the application of a refused password. What the application throws changes nothing. */
export async function reportLoginFailure(
  deps: Deps,
  error: AuthError,
  subject: Pick<LoginFailedEvent, "userId" | "sessionId" | "origin">,
): Promise<void> {
  // Throttling has an event of its own, which says more.
  if (error.code !== "throttled") {
    deps.emit({ type: "login_failed", time: deps.clock.now(), code: error.code, reason: error.reason, ...subject });
  }
  try {
    await deps.settings.onLoginFailed?.(error, subject.origin);
  } catch {
    // The answer to the client does not depend on the application's bookkeeping.
  }
}
