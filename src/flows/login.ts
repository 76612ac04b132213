import { AuthError } from "../core/errors.ts";
import type { LoginFailedEvent } from "../events/events.ts";
import type { Deps } from "./deps.ts";
import { toDeviceToken } from "./device.ts";
import { callHook } from "./hook.ts";
import { type Issued, type IssueOptions, startSession } from "./issue.ts";
import { rehashPassword } from "./passwords/rehash.ts";
import { acceptAttempt, admitAttempt, rejectAttempt, undoAttempt } from "./throttling/login-throttle.ts";
import type { TokenLimitOptions } from "./token-pair.ts";
import { type LoginCandidate, mayHaveTokens, type VerifiedUser } from "./user-source.ts";

/** A username and a password. */
export interface Credentials {
  /** Surrounding white space is ignored. */
  readonly username: string;
  /** The password, used exactly as given. */
  readonly password: string;
}

/** How to log in. */
export interface LoginOptions extends Pick<IssueOptions, "remember" | "client" | "replaces"> {
  /**
   * The `device` that this device got at its last login. Failed logins on unknown devices then don't count against this
   * one. Default: the device is unknown.
   */
  readonly device?: string | undefined;
}

/** A new session that began with a password. */
export interface LoggedIn extends Issued {
  /** For the device to store, also after a logout, and to send at its next login. */
  readonly device: string;
}

/**
 * Checks a password and starts a session: identify, admit the attempt, verify, settle the attempt, start. An unknown
 * user, a wrong password and an inactive user get the same answer in the same time.
 *
 * @throws AuthError `no_active_account`; `throttled`, with `retryAfter`; `unavailable`. StoreUnavailableError. If
 * it throws, no session has been created or replaced.
 */
export async function login(
  deps: Deps,
  { username, password }: Credentials,
  options: LoginOptions & TokenLimitOptions = {},
): Promise<LoggedIn> {
  const { client = {} } = options;
  let userId: string | null = null;
  try {
    await deps.keys.ready();
    const candidate = await deps.users.identify(username);
    userId = candidate.userId;
    return await loginAs(deps, candidate, password, options);
  } catch (error) {
    await reportLoginFailure(deps, error, { client, ...(userId === null ? {} : { userId }) });
    throw error;
  }
}

async function loginAs(
  deps: Deps,
  candidate: LoginCandidate,
  password: string,
  { device, ...options }: LoginOptions & TokenLimitOptions,
): Promise<LoggedIn> {
  const { client = {} } = options;
  const attempt = await admitAttempt(deps, candidate, { client, device: { token: device } });
  const judgement = await judge(deps, candidate, password).catch(async (error: unknown) => {
    await undoAttempt(deps, attempt);
    throw error;
  });
  if ("refusal" in judgement) {
    await rejectAttempt(deps, attempt);
    throw new AuthError("no_active_account", judgement.refusal);
  }
  const { verified } = judgement;
  await acceptAttempt(deps, attempt, verified.user);

  await callHook("onLoginSuccess", async () => deps.settings.onLoginSuccess?.(verified.user, client));
  const { usernameKey } = candidate;
  const deviceToken = toDeviceToken(deps, verified.user, { userEpoch: verified.epoch, usernameKey });
  const issued = await startSession(deps, verified, { ...options, amr: "pwd" });
  if (verified.outdatedHash !== undefined) {
    await rehashPassword(deps, verified.user.id, verified.outdatedHash, client);
  }
  return { ...issued, device: deviceToken };
}

/** Returns the user if the password is right and the user may have tokens, else why not. */
async function judge(
  { users, settings }: Deps,
  candidate: LoginCandidate,
  password: string,
): Promise<{ readonly verified: VerifiedUser } | { readonly refusal: string }> {
  const verified = await users.verify(candidate, password);
  if (verified === null) return { refusal: "unknown user or wrong password" };
  return mayHaveTokens(settings, verified.user) ? { verified } : { refusal: "the user may not log in" };
}

/**
 * Reports a refused password to the listeners and to the application. Errors that `onLoginFailed` throws are ignored.
 * Does nothing if `error` is not an AuthError.
 */
export async function reportLoginFailure(
  deps: Deps,
  error: unknown,
  subject: Pick<LoginFailedEvent, "userId" | "sessionId" | "client">,
): Promise<void> {
  if (!(error instanceof AuthError)) return;
  // A throttled attempt has its own event, which says more.
  if (error.code !== "throttled") {
    deps.emit({ type: "login_failed", time: deps.clock.now(), code: error.code, reason: error.reason, ...subject });
  }
  try {
    await deps.settings.onLoginFailed?.(error, subject.client);
  } catch {
    // The answer to the client must not depend on the application's bookkeeping.
  }
}
