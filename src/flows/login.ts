import { AuthError } from "../core/errors.ts";
import type { LoginFailedEvent } from "../core/events.ts";
import type { Deps } from "./deps.ts";
import { ask } from "./hooks.ts";
import { type Issued, type IssueOptions, issue, requireMayHaveTokens } from "./issue.ts";
import { rehashPassword } from "./password-rehash.ts";

export interface Credentials {
  /** Surrounding white space is not part of it. */
  readonly username: string;
  /** Exactly as typed. */
  readonly password: string;
}

/**
 * Checks a password and starts a session. An unknown user, a wrong password and an inactive user give the same answer
 * in the same time.
 *
 * @throws AuthError `no_active_account`; `unavailable`, with nothing changed.
 */
export async function login(deps: Deps, credentials: Credentials, options: IssueOptions = {}): Promise<Issued> {
  const origin = options.origin ?? {};
  try {
    const found = await deps.users.verify(credentials.username.trim(), credentials.password);
    if (found === null) throw new AuthError("no_active_account", "unknown user or wrong password");
    requireMayHaveTokens(deps, found.user);
    await ask("onLoginSuccess", async () => deps.settings.onLoginSuccess?.(found.user, origin));
    const issued = await issue(deps, found, options);
    if (found.outdatedHash !== undefined) await rehashPassword(deps, found.user.id, found.outdatedHash, origin);
    return issued;
  } catch (error) {
    if (error instanceof AuthError) await reportLoginFailure(deps, error, { origin });
    throw error;
  }
}

/** Tells the listeners and the application of a refused password. What the application throws changes nothing. */
export async function reportLoginFailure(
  deps: Deps,
  error: AuthError,
  subject: Pick<LoginFailedEvent, "userId" | "sessionId" | "origin">,
): Promise<void> {
  deps.emit({ type: "login_failed", time: deps.clock.now(), code: error.code, reason: error.reason, ...subject });
  try {
    await deps.settings.onLoginFailed?.(error, subject.origin);
  } catch {
    // The answer to the client does not depend on the application's bookkeeping.
  }
}
