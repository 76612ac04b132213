import type { RequestLike, RequestOptions, SignalOptions } from "../auth-options.ts";
import type { CheckResult } from "../auth-results.ts";
import type { AccessClaims, ApplicationClaims } from "../core/claims.ts";
import type { ReaderStats } from "../revocation/readers/readers.ts";

/**
 * Verifies access tokens in a service that has neither a database nor a signing key, created by `createVerifier`. It follows the
 * issuer's keys and its revocation feed, so a logout takes effect here as fast as on the issuer's own nodes.
 *
 * @typeParam C the claims that the issuer's application adds to tokens.
 */
export interface Verifier<C extends object = ApplicationClaims> {
  /**
   * Fulfils when the keys and every revocation are loaded. Retries until then.
   *
   * @param options.signal ends the wait; the promise then rejects with its reason.
   */
  ready(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Returns who sent a request, from its bearer token or its access cookie. No I/O. By cookie, a method other than GET, HEAD or
   * OPTIONS also needs the CSRF token and an allowed origin.
   *
   * @param request a Fetch `Request`, Node's `IncomingMessage`, or `Headers` with `{ method }` as options.
   * @throws AuthError with the code that the HTTP contract answers with 401, 403 or 503. `unavailable` if the revocations are
   * stale, and always with `revocations: "pull"`: use `authenticateAsync`.
   */
  authenticate(request: RequestLike | Headers, options?: RequestOptions): AccessClaims<C>;
  /**
   * As `authenticate`, but reads the revocations first with `revocations: "pull"`, and waits half a second at most if they are
   * stale and are being read.
   */
  authenticateAsync(request: RequestLike | Headers, options?: RequestOptions): Promise<AccessClaims<C>>;
  /**
   * Does what `authenticateAsync` does, but returns the response that refuses the request instead of throwing. The adapters'
   * `requireUser` sends it. Returns a promise only if it needs I/O, so `await` the result.
   */
  check(
    request: RequestLike | Headers,
    options?: RequestOptions,
  ): VerifierCheckResult<C> | Promise<VerifierCheckResult<C>>;
  /**
   * Returns the claims of an access token that you have read yourself. No I/O.
   *
   * @throws AuthError as `authenticate` does.
   */
  verify(token: string): AccessClaims<C>;
  /**
   * Returns a signal that aborts when the token expires or is revoked, or when the revocations get too stale.
   *
   * @param options.signal another signal that the returned one follows.
   */
  signal(claims: AccessClaims<C>, options?: Pick<SignalOptions, "signal">): AbortSignal;
  /** Returns the verifier's state, for health checks and metrics. */
  status(): VerifierStatus;
  /**
   * Serves the revocation feed onward, so that readers needn't all connect to the issuer. Requires the option `relay`.
   *
   * @param request of a reader whose `url` is this service: for the feed, `GET` with its query or `POST` for an acknowledgement;
   * or `GET` with a path that ends with `/.well-known/jwks.json`, for the keys.
   * @returns the response, refusals included.
   * @throws SettingError without the option `relay`.
   */
  feed(request: Request): Promise<Response>;
  /** Stops reading and ends every signal and relayed stream. From then on, every token is refused with `unavailable`. */
  close(): void;
}

/** The result of `check`. */
export type VerifierCheckResult<C extends object = ApplicationClaims> =
  | {
      readonly ok: true;
      /** Who sent the request. */
      readonly authentication: AccessClaims<C>;
    }
  | Extract<CheckResult, { readonly ok: false }>;

/** The state of a verifier. */
export interface VerifierStatus {
  /** Whether tokens can be accepted now. */
  readonly ready: boolean;
  /** Seconds by which the revocations may be behind the issuer's database; `Infinity` before the first load, and if they aren't read. */
  readonly staleness: number;
  /** Records in memory. */
  readonly entries: number;
  /** The names (`kid`) of the keys that verify. */
  readonly keys: readonly string[];
  /** Whether a stream is open, or the last poll succeeded. */
  readonly connected: boolean;
  /** Why the last attempt to read the keys or the feed failed; `null` if it didn't. Never holds the credential. */
  readonly lastError: string | null;
  /** Bytes of the feed that were read since the start. */
  readonly bytes: number;
  /** Tokens that `onStale: "accept"` has accepted although the revocations were too old. */
  readonly acceptedStale: number;
  /** What the readers of the relay cost; `null` without the option `relay`. */
  readonly readers: ReaderStats | null;
}
