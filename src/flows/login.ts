import { AuthError } from "../core/errors.ts";
import type { RequestOrigin } from "../core/events.ts";
import type { Deps } from "./deps.ts";
import { type Issued, type IssueOptions, issue } from "./issue.ts";

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
 * @throws AuthError `no_active_account`; `unavailable`.
 */
export async function login(deps: Deps, credentials: Credentials, options: IssueOptions = {}): Promise<Issued> {
  const origin = options.origin ?? {};
  try {
    const found = await deps.users.verify(credentials.username.trim(), credentials.password);
    if (found === null) throw new AuthError("no_active_account", "unknown user or wrong password");
    const issued = await issue(deps, found, options);
    await runOnLoginSuccess(deps, issued, origin);
    deps.emit({ type: "login", userId: issued.user.id, sessionId: issued.session.id, origin });
    return issued;
  } catch (error) {
    if (error instanceof AuthError) await reportFailure(deps, error, origin);
    throw error;
  }
}

async function runOnLoginSuccess(deps: Deps, { user, session }: Issued, origin: RequestOrigin): Promise<void> {
  try {
    await deps.settings.onLoginSuccess?.(user, origin);
  } catch (cause) {
    const { revocations } = await deps.store.sessions.revoke(session.id, "revoked");
    deps.feed.apply(revocations);
    throw new AuthError("unavailable", "the onLoginSuccess hook failed", { cause });
  }
}

async function reportFailure(deps: Deps, error: AuthError, origin: RequestOrigin): Promise<void> {
  deps.emit({ type: "login_failed", code: error.code, reason: error.reason, origin });
  try {
    await deps.settings.onLoginFailed?.(error, origin);
  } catch {
    // The answer to the client does not depend on the application's bookkeeping.
  }
}
