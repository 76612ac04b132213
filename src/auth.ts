import type { AuthLogins } from "./auth-logins.ts";
import type { AuthAudit, AuthSessions, AuthThrottle, AuthUsers } from "./auth-management.ts";
import type { CheckOptions, CorsOptions, RequestLike, RequestOptions, SignalOptions } from "./auth-options.ts";
import type { AuthPages } from "./auth-pages.ts";
import type { CheckResult, CorsResult, Health, PasswordChangeResult, RefreshResult, Stats } from "./auth-results.ts";
import type { ApplicationClaims } from "./core/claims.ts";
import type { AuthUser, User } from "./core/user.ts";
import type { EventListener } from "./events/events.ts";
import type { Confirmed, RevocationRequest } from "./flows/commit.ts";
import type { PasswordChange, PasswordChangeOptions } from "./flows/passwords/change.ts";
import type { RefreshOptions } from "./flows/refresh/report.ts";
import type { LogoutOptions, SessionOwner } from "./flows/sessions/logout.ts";
import type { Authentication } from "./flows/tokens/authenticate.ts";
import type { VerifiedClaims } from "./flows/tokens/verify.ts";
import type { ConnectionInfo } from "./http/request/client-ip.ts";

/**
 * Token-pair authentication over one store, created by `createAuth`.
 *
 * A method rejects with an `AuthError` if it refuses the request. If the store can't answer, it rejects with a
 * `StoreUnavailableError`, or with an `AuthError` whose code is `unavailable`. In either case, nothing has changed.
 *
 * @typeParam U the type of the application's users.
 * @typeParam C the type of the claims that the application adds to tokens.
 */
export interface Auth<U extends AuthUser = User, C extends object = ApplicationClaims>
  extends AuthLogins<U>,
    AuthPages<U, C> {
  /**
   * Checks the schema, and loads the keys and the revocations. Until the promise fulfils, no access token is accepted.
   *
   * @throws SchemaVersionError if the database needs a migration, or if its schema is newer than this version.
   * @throws SettingError if `keyEncryptionKey` lacks a key that is needed to decrypt the keys in the database, or if
   * `secret` is missing.
   */
  ready(): Promise<void>;
  /**
   * Returns whether the store answers and the revocations are fresh.
   *
   * @example
   * const health = await auth.health();
   * if (!health.ok) console.error(health.reason);
   */
  health(): Promise<Health>;
  /** Returns the state of this node, for metrics. */
  stats(): Stats;
  /**
   * Ends the streams and long polls of services that read the revocation feed, and refuses new ones. Call it before you close your
   * HTTP server, which waits for them. `close` does it too.
   *
   * @example
   * auth.drain();
   * server.close(() => auth.close());
   */
  drain(): void;
  /**
   * Stops the feed, the webhook and all signals, and writes the audit entries that are still waiting. Does not close the
   * store: close it yourself afterwards.
   */
  close(): Promise<void>;

  /**
   * Returns the next pair for a refresh token. A token that is presented again after the grace period revokes its session,
   * because it may have been stolen.
   *
   * @throws AuthError with a code that starts with `token_`, or with the code `password_changed`.
   * @example
   * const { access, refresh } = await auth.refresh(refreshToken, { idempotencyKey });
   */
  refresh(refreshToken: string, options?: RefreshOptions): Promise<RefreshResult>;
  /**
   * Verifies an access or refresh token and returns its claims. For a refresh token, this queries the store.
   *
   * @throws AuthError with a code that starts with `token_`, or with the code `password_changed`.
   */
  verify(token: string): Promise<VerifiedClaims<C>>;
  /**
   * Returns who sent a request, according to its bearer token or its access cookie. Works from memory unless `loadUser` or
   * `checkUserIsActive` is on. Authentication by cookie also needs the CSRF token unless the method is GET, HEAD or
   * OPTIONS.
   *
   * @param request a Fetch `Request`, Node's `IncomingMessage`, or `Headers` with `{ method }` as options.
   * @param options.maxAge how many seconds ago the user may have been authenticated, by a login or a confirmation.
   * @param options.amr the methods by which the user must have been authenticated.
   * @throws AuthError with the code that the HTTP contract answers with 401, 403 or 503.
   * @example
   * const { payload } = await auth.authenticate(request);
   * if (!payload.roles.includes("editor")) throw new Error("Only editors may do this.");
   */
  authenticate(request: RequestLike | Headers, options?: RequestOptions): Promise<Authentication<U, C>>;
  /**
   * Does the same as `authenticate`, but returns the response that refuses the request instead of throwing. The adapters'
   * `requireUser` sends that response. Returns a promise only if it needs I/O, so `await` the result.
   *
   * @param request a Fetch `Request`, Node's `IncomingMessage`, or `Headers` with `{ method }` as options.
   * @example
   * const checked = await auth.check(request);
   * const response = checked.ok ? Response.json({ userId: checked.authentication.userId }) : checked.response;
   */
  check(request: RequestLike | Headers, options?: CheckOptions): CheckResult<U, C> | Promise<CheckResult<U, C>>;
  /**
   * Returns the headers that allow pages from `trustedOrigins` to use your own route and read its response. The adapters'
   * `cors` sends them. Pages of apps, such as `capacitor://localhost`, are not allowed to send cookies.
   *
   * @param request the request, or `Headers` with `{ method }`.
   * @example
   * const { isPreflight, headers } = auth.cors(request);
   * const response = isPreflight ? new Response(null, { status: 204, headers }) : Response.json({}, { headers });
   */
  cors(request: RequestLike | Headers, options?: CorsOptions & Pick<RequestOptions, "method">): CorsResult;
  /**
   * Revokes this session, the user's other sessions, or all of the user's sessions. When the promise fulfils, the
   * revocation is durable and in force on this node.
   *
   * @param session a refresh token of the session, even if it is spent, or verified claims.
   * @param options.confirmed waits until no node accepts the revoked tokens.
   * @returns how the revocation was confirmed, in `confirmed`, if you requested confirmation.
   * @throws AuthError with a code that starts with `token_` if the refresh token is not genuine or its session is no longer
   * live. For claims, `token_revoked` if you pass `scope: "others"` or `"all"` and the session is no longer live.
   * @throws TypeError if `options` is not an object, or if `scope` is unknown.
   * @example
   * await auth.logout(refreshToken);
   * await auth.logout({ userId, sessionId }, { scope: "others" });
   */
  logout(session: string | SessionOwner, options?: LogoutOptions): Promise<Confirmed>;
  /**
   * Returns whether an authenticated request may still continue: its token has not expired, and this node knows of no
   * revocation of it. Call it in a slow request, right before a side effect. Works from memory.
   *
   * @example
   * const claims = await auth.authenticate(request);
   * const order = await request.json();
   * if (!auth.stillValid(claims)) throw new Error("logged out meanwhile");
   */
  stillValid(claims: Authentication<U, C>): boolean;
  /**
   * Returns a signal that aborts when the access token expires or is revoked. It also aborts when this node's knowledge of
   * revocations is older than `signalMaxStaleness`. Its `reason` is an `AuthError`. Use it for WebSockets, server-sent
   * events and long polls.
   *
   * @param options.until with "session", the signal follows the session through refreshes instead of ending with the access
   * token.
   * @param options.signal another signal that also aborts the returned one, for example when the client disconnects. Pass
   * it with "session": without it, the node follows the session until it ends.
   * @example
   * const signal = auth.signal(await auth.authenticate(request), { signal: request.signal });
   * signal.addEventListener("abort", () => socket.close());
   */
  signal(claims: Authentication<U, C>, options?: SignalOptions): AbortSignal;
  /**
   * Revokes one access token by its `tokenId`. Its session continues.
   *
   * @example
   * const { tokenId } = await auth.authenticate(request);
   * await auth.revokeToken(tokenId);
   */
  revokeToken(tokenId: string, options?: RevocationRequest): Promise<Confirmed>;
  /**
   * Changes a user's password after checking the current one. The session that sent the request continues with the new pair
   * of tokens. The user's other sessions are revoked.
   *
   * @throws AuthError `wrong_password`, or `user_not_found`. `throttled`, with `retryAfter`, after too many wrong
   * passwords. `password_refused`, whose `reason` is a sentence that you can show to the user. `token_revoked` if the
   * session was revoked or the password was changed in the meantime.
   * @example
   * const pair = await auth.changePassword({ userId, sessionId, currentPassword, newPassword });
   */
  changePassword(change: PasswordChange, options?: PasswordChangeOptions): Promise<PasswordChangeResult & Confirmed>;

  /** Lists, labels and revokes sessions. */
  readonly sessions: AuthSessions;
  /** Manages tokenpair's own user table. */
  readonly users: AuthUsers;
  /** Clears the counts of failed logins. */
  readonly throttle: AuthThrottle;
  /** Reads the audit log. */
  readonly audit: AuthAudit;

  /**
   * Answers the endpoints of the HTTP contract, and any other path with a 404. Never rejects.
   *
   * @param connection.ip the address at the other end of the socket.
   * @example
   * const response = await auth.fetch(request, { ip });
   */
  fetch(request: Request, connection?: ConnectionInfo): Promise<Response>;
  /**
   * Returns whether `fetch` has an endpoint for this request.
   *
   * @param request a request with a `url`, or a URL or path. A query is ignored.
   * @example
   * const response = auth.handles(request) ? await auth.fetch(request) : new Response("Not found", { status: 404 });
   */
  handles(request: { readonly url?: string | undefined } | string): boolean;
  /**
   * Adds a listener for every event. Listeners are called synchronously. Errors that they throw are ignored.
   *
   * @returns a function that removes the listener.
   * @example
   * const stop = auth.on((event) => {
   *   if (event.type === "refresh" && event.outcome === "reuse_detected") console.warn(event.userId, event.client.ip);
   * });
   */
  on(listener: EventListener): () => void;
}

/** Any `Auth`, with any user and claims types. Use it as the parameter type of functions that take an `Auth`. */
export type AnyAuth = Auth<AuthUser, object>;

/** The part of any `Auth` that the adapters' `requireUser` needs. */
export type AnyCheck = Pick<AnyAuth, "check">;

/** The part of any `Auth` that the adapters' `requirePage` needs. */
export type AnyPageCheck = Pick<AnyAuth, "checkPage">;

/** The part of any `Auth` that the adapters' `sessionStarter` needs. */
export type AnyStarter = Pick<AnyAuth, "startSession">;

/** What `startSession` of `A` returns, with the application's own user type. */
export type StartedSessionOf<A extends AnyStarter> = Awaited<ReturnType<A["startSession"]>>;

/** The part of any `Auth` that the adapters' `cors` needs. */
export type AnyCors = Pick<AnyAuth, "cors" | "handles">;

/** The part of any `Auth`, or of what `createConsole` returns, that the adapters' routes need. */
export type AnyRoutes = Pick<AnyAuth, "fetch" | "handles">;

/** What a successful `check` of `A` returns, with the user and claims types of the application. */
export type AuthenticationOf<A extends AnyCheck> = Extract<
  Awaited<ReturnType<A["check"]>>,
  { readonly ok: true }
>["authentication"];
