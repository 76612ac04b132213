import type { CsrfCheckOptions, RequestLike, StartSessionOptions } from "./auth-options.ts";
import type {
  CsrfTokenResult,
  LoginResult,
  PasswordLoginResult,
  ReauthenticationResult,
  RefreshResult,
  StartedSession,
} from "./auth-results.ts";
import type { AuthUser, User } from "./core/user.ts";
import type { Credentials, LoginOptions } from "./flows/login.ts";
import type { ReauthenticationOptions } from "./flows/reauthenticate.ts";
import type { CompleteLoginOptions } from "./flows/second-factor/complete.ts";
import type { LoginTicket } from "./flows/second-factor/ticket.ts";
import type { IssueOptions } from "./flows/sessions/issue.ts";
import type { SessionOwner } from "./flows/sessions/logout.ts";

/** The part of `Auth` that starts sessions, gives them to browsers, and records that users were authenticated again. */
export interface AuthLogins<U extends AuthUser = User> {
  /**
   * Checks a password and starts a session. Failed logins are counted by account, by `client.ip` and by `device`, so pass
   * both: `device` is the one that an earlier login on this device returned.
   *
   * @throws AuthError `no_active_account` for an unknown user, a wrong password and an inactive user alike; `throttled`,
   * with `retryAfter`; `second_factor_required`, with `secondFactor`, if your `afterPassword` asks for a second step.
   * @example
   * const { access, refresh, device } = await auth.login({ username, password }, { client: { ip, userAgent } });
   */
  login(credentials: Credentials, options?: LoginOptions): Promise<PasswordLoginResult<U>>;
  /**
   * Completes a login that waits for a second step, with the ticket of `second_factor_required`. The ticket works once, for five
   * minutes (`ticketLifetime`) and at most five attempts.
   *
   * @param ticket the client's ticket.
   * @param options.verify verifies the proof, and returns how the user was authenticated, or `null`. Or pass `amr`, if you have
   * verified it already.
   * @throws AuthError `ticket_invalid`; `second_factor_invalid` if `verify` returns `null`; `throttled`, with `retryAfter`.
   * @throws TypeError if an option is wrong.
   * @example
   * const result = await auth.completeLogin(ticket, { verify: async (user) => ((await isCode(user.id, code)) ? ["otp"] : null) });
   */
  completeLogin(ticket: string, options: CompleteLoginOptions<U>): Promise<PasswordLoginResult<U>>;
  /**
   * Returns the login that a ticket belongs to, without using the ticket: for a second step that begins with a challenge, as a
   * passkey does.
   *
   * @returns `null` if the ticket was used, has expired, or had five attempts.
   * @example
   * const login = await auth.findTicket(ticket);
   * console.log(login?.userId, login?.methods);
   */
  findTicket(ticket: string): Promise<LoginTicket | null>;
  /**
   * Starts a session for a user whom you have authenticated yourself.
   *
   * @throws AuthError `no_active_account` if there is no such user, or the user may not have tokens.
   * @example
   * const { access, refresh } = await auth.issue(userId, { client: { ip, userAgent } });
   */
  issue(userId: string, options?: IssueOptions): Promise<LoginResult<U>>;
  /**
   * Starts a session of a browser for a user whom you have authenticated yourself, and revokes the session that the browser had.
   * Use the `sessionStarter` of your framework's adapter, which sends the cookies, or send `cookies` yourself, as one `Set-Cookie`
   * header each.
   *
   * @param request a Fetch `Request` or Node's `IncomingMessage`: it tells the browser's earlier session and the client.
   * @returns the session, and the values of the `Set-Cookie` headers.
   * @throws AuthError `no_active_account` if there is no such user, or the user may not have tokens; `unavailable` if the tokens are
   * too long for cookies.
   * @throws TypeError if an option is wrong.
   * @example
   * const { cookies } = await auth.startSession(request, userId, { amr: ["hwk"] });
   * const response = new Response(null, { status: 303, headers: { Location: "/" } });
   * for (const cookie of cookies) response.headers.append("Set-Cookie", cookie);
   */
  startSession(request: RequestLike, userId: string, options?: StartSessionOptions): Promise<StartedSession<U>>;
  /**
   * Returns the values of the `Set-Cookie` headers that give a browser the tokens of a login, a refresh or a confirmation, together with
   * their CSRF and device cookies. `startSession` does this and revokes the browser's earlier session.
   *
   * @param request the browser's request. Without it, browsers at localhost don't get development cookies.
   * @throws TypeError if a token is too long for a cookie.
   * @throws AuthError a `token_` code if `result.refresh` isn't a valid refresh token; `unavailable` if the keys have changed and can't
   * be read.
   * @example
   * const response = Response.json({});
   * for (const cookie of auth.toSetCookies(await auth.login({ username, password }))) response.headers.append("Set-Cookie", cookie);
   */
  toSetCookies(
    result: (LoginResult<AuthUser> | PasswordLoginResult<AuthUser>) | RefreshResult | ReauthenticationResult,
    request?: RequestLike,
  ): readonly string[];
  /**
   * Returns the values of the `Set-Cookie` headers that delete a session's cookies, for a route of yours that logs out. The device cookie
   * stays: the device is known.
   *
   * @param request the browser's request. Without it, development cookies aren't deleted.
   * @example
   * await auth.logout(await auth.authenticate(request));
   * const response = new Response(null, { status: 303, headers: { Location: "/" } });
   * for (const cookie of auth.clearedCookies(request)) response.headers.append("Set-Cookie", cookie);
   */
  clearedCookies(request?: RequestLike): readonly string[];
  /**
   * Returns the CSRF token for a form of yours that works without scripts, such as a login form: put it in the field
   * `csrfmiddlewaretoken`, and send `cookies` with the page.
   *
   * @example
   * const { token, cookies } = await auth.csrfToken(request);
   */
  csrfToken(request: RequestLike): Promise<CsrfTokenResult>;
  /**
   * Requires that an unsafe request to a route of yours comes from one of your pages, with a CSRF token of `csrfToken` or of the client.
   * For routes that need no session, such as a sign-up or the form of a magic link: `requireUser` does this check itself.
   *
   * @param request a Fetch `Request` or Node's `IncomingMessage`.
   * @param options.token the form's field `csrfmiddlewaretoken`. Default: the token is in the header `X-CSRFToken`.
   * @throws AuthError `csrf_failed`. Answer it with 403.
   * @example
   * const form = await request.formData();
   * await auth.requireCsrfToken(request, { token: form.get("csrfmiddlewaretoken") });
   */
  requireCsrfToken(request: RequestLike, options?: CsrfCheckOptions): Promise<void>;
  /**
   * Records that you have authenticated the user of a session again, for example by a one-time code. The returned access token, and
   * those of later refreshes, say so, so that `requireUser(auth, { maxAge, amr })` accepts them.
   *
   * @param session verified claims, or the ids of a session and its user.
   * @throws AuthError `impersonated` if an actor acts for the user; `user_not_found`; a `token_` code or `password_changed` if the
   * session is over.
   * @throws TypeError if `amr` is wrong.
   * @example
   * const claims = await auth.authenticate(request);
   * const { access } = await auth.confirm(claims, { amr: ["otp"] });
   */
  confirm(session: SessionOwner, options: ReauthenticationOptions): Promise<ReauthenticationResult>;
}
