import type { ClientInfo } from "../core/client-info.ts";
import { AuthError } from "../core/errors.ts";
import type { LoginFailedEvent } from "../events/login-events.ts";
import type { Deps } from "./deps.ts";
import { callHook } from "./hook.ts";
import { rehashPassword } from "./passwords/rehash.ts";
import { createTicket, findSecondStep } from "./second-factor/require.ts";
import { toDeviceToken } from "./sessions/device.ts";
import { type Issued, type IssueOptions, startSession } from "./sessions/issue.ts";
import type { TokenLimitOptions } from "./sessions/token-pair.ts";
import { acceptAttempt, admitAttempt, passAttempt, rejectAttempt, undoAttempt } from "./throttling/login-throttle.ts";
import { findPublicClaims, type PublicClaimsOptions, type WithPublicClaims } from "./tokens/public-claims.ts";
import { type LoginCandidate, mayHaveTokens, type VerifiedUser } from "./users/user-source.ts";

/** A username and a password. */
export interface Credentials {
  /** The username. Surrounding white space is ignored. */
  readonly username: string;
  /** The password, used exactly as given. */
  readonly password: string;
}

/** How to log in. */
export interface LoginOptions extends Pick<IssueOptions, "remember" | "client" | "replaces"> {
  /**
   * The `device` that this device got at its last login. With it, failed logins on unknown devices don't count against this
   * device. Default: the device is unknown.
   */
  readonly device?: string | undefined;
}

/** How a route logs in. */
export interface LoginByRouteOptions extends LoginOptions, TokenLimitOptions, PublicClaimsOptions {}

/** A new session that began with a password. */
export interface LoggedIn extends Issued, WithPublicClaims {
  /** For the device to store, also after a logout, and to send at its next login. */
  readonly device: string;
}

/**
 * Checks a password and starts a session. The steps are: identify the user, admit the attempt, verify the password, settle
 * the attempt, start the session. An unknown user, a wrong password and an inactive user get the same answer in the same
 * time.
 *
 * @throws AuthError `no_active_account` or `unavailable`, or `throttled`, with `retryAfter`. If it throws, no session has
 * been created or replaced.
 * @throws StoreUnavailableError with no session created or replaced.
 */
export async function login(
  deps: Deps,
  { username, password }: Credentials,
  options: LoginByRouteOptions = {},
): Promise<LoggedIn> {
  const { client = {} } = options;
  let userId: string | null = null;
  try {
    await deps.keys.ready();
    const candidate = await deps.users.identify(username);
    userId = candidate.userId;
    return await loginAs(deps, candidate, { ...options, password });
  } catch (error) {
    await reportLoginFailure(deps, error, { client, ...(userId === null ? {} : { userId }) });
    throw error;
  }
}

async function loginAs(
  deps: Deps,
  candidate: LoginCandidate,
  { password, device, readsPublicClaims = false, ...options }: LoginByRouteOptions & Pick<Credentials, "password">,
): Promise<LoggedIn> {
  const { client = {} } = options;
  const attempt = await admitAttempt(deps, candidate, { client, device: { token: device } });
  const verdict = await judge(deps, candidate, { password, client }).catch(async (error: unknown) => {
    await undoAttempt(deps, attempt);
    throw error;
  });
  if ("refusal" in verdict) {
    await rejectAttempt(deps, attempt);
    throw new AuthError("no_active_account", verdict.refusal);
  }
  const { verified, methods } = verdict;
  const { usernameKey } = candidate;
  if (methods !== null) {
    await passAttempt(deps, attempt);
    await rehashPassword(deps, verified, client);
    const { remember: persistent = true } = options;
    throw await createTicket(deps, { found: verified, usernameKey, methods, persistent, client });
  }
  await acceptAttempt(deps, attempt, verified.user);

  await callHook("onLoginSuccess", async () => deps.settings.onLoginSuccess?.(verified.user, client));
  const deviceToken = toDeviceToken(deps, verified.user, { userEpoch: verified.epoch, usernameKey });
  const publicClaims = await findPublicClaims(deps, verified.user, { readsPublicClaims });
  const issued = await startSession(deps, verified, { ...options, amr: "pwd" });
  await rehashPassword(deps, verified, client);
  return { ...issued, device: deviceToken, ...publicClaims };
}

/** Returns the user if the password is correct and the user may have tokens. Otherwise returns the reason why not. */
async function judge(
  deps: Deps,
  candidate: LoginCandidate,
  { password, client }: { readonly password: string; readonly client: ClientInfo },
): Promise<
  { readonly verified: VerifiedUser; readonly methods: readonly string[] | null } | { readonly refusal: string }
> {
  const verified = await deps.users.verify(candidate, password);
  if (verified === null) return { refusal: "unknown user or wrong password" };
  if (!mayHaveTokens(deps.settings, verified.user)) return { refusal: "the user may not log in" };
  return { verified, methods: await findSecondStep(deps, verified.user, client) };
}

/**
 * Reports a refused password to the listeners and to the application. Errors from `onLoginFailed` are ignored. Does nothing
 * if `error` is not an AuthError.
 */
export async function reportLoginFailure(
  deps: Deps,
  error: unknown,
  subject: Pick<LoginFailedEvent, "userId" | "sessionId" | "client">,
): Promise<void> {
  if (!(error instanceof AuthError) || error.code === "second_factor_required") return;
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
