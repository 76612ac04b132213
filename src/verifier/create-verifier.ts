import type { RequestOptions } from "../auth-options.ts";
import type { AccessClaims, ApplicationClaims } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import { requireAuthentication } from "../core/require-authentication.ts";
import { SettingError } from "../core/settings/setting-error.ts";
import { type RequestHead, toRequest } from "../http/request/headers.ts";
import { toErrorResponse } from "../http/response/errors.ts";
import { withStandardHeaders } from "../http/response/json.ts";
import type { VerifierOptions } from "./options.ts";
import { createRequestChecks } from "./request-checks.ts";
import { needsReading } from "./token-checks.ts";
import type { Verifier, VerifierCheckResult } from "./verifier.ts";
import { toVerifierConfig } from "./verifier-config.ts";
import { createVerifierParts, type VerifierInternals } from "./verifier-parts.ts";

/**
 * Creates a verifier: it verifies access tokens in a service that has no database, with the issuer's public keys and its revocation
 * feed. It begins to read at once, except with `revocations: "pull"`. Call `close` when it isn't needed any more.
 *
 * @typeParam C the claims that the issuer's application adds to tokens.
 * @throws SettingError if an option is missing or wrong.
 * @throws TypeError if an option is unknown.
 * @example
 * const verifier = createVerifier({
 *   issuer: "https://id.example.com",
 *   audience: "https://api.example.com",
 *   credential: process.env["TOKENPAIR_FEED_CREDENTIAL"] ?? "",
 * });
 * await verifier.ready();
 * const { userId } = verifier.authenticate(request);
 */
export function createVerifier<C extends object = ApplicationClaims>(options: VerifierOptions): Verifier<C> {
  // What the issuer's application has added to the tokens gets its own type.
  return createVerifierWith(options) as unknown as Verifier<C>;
}

/** Creates what `createVerifier` creates, with other timers. */
export function createVerifierWith(options: VerifierOptions, internals: VerifierInternals = {}): Verifier {
  const config = toVerifierConfig(options);
  const { settings } = config;
  const { keys, feed, relay, signals, reading, tokens, runtime } = createVerifierParts(config, options, internals);
  const authenticateRequest = createRequestChecks(settings);
  let isClosed = false;

  const verify = (token: string) => tokens.verify(token, false);
  /** As `verify`, but a token is accepted only if nothing must be read first. */
  const verifyNow = (token: string) => tokens.verify(token, reading.isDue());

  /** @throws AuthError also `confirmation_required`. */
  function authenticateBy(
    check: typeof verify,
    request: RequestHead,
    requirement: RequestOptions | undefined,
  ): AccessClaims {
    const claims = authenticateRequest(request, check);
    requireAuthentication(claims, requirement, runtime.clock);
    return claims;
  }

  const authenticateNow = (request: RequestHead, requirement?: RequestOptions) =>
    authenticateBy(verifyNow, request, requirement);

  /** Reads, or waits for what is being read, and then decides. */
  const authenticateLater = (request: RequestHead, requirement?: RequestOptions) =>
    reading.retry(() => authenticateBy(verify, request, requirement));

  const refuse = (error: unknown): VerifierCheckResult => {
    if (!(error instanceof AuthError)) throw error;
    return { ok: false, response: withStandardHeaders(toErrorResponse(error, "resource", settings)) };
  };
  const isUnavailable = (error: unknown) => error instanceof AuthError && error.code === "unavailable";

  const verifier: Verifier = {
    ready: ({ signal } = {}) => reading.whenReady(signal),
    authenticate(source, options) {
      const request = toRequest(source, options?.method);
      if (config.revocations !== "pull") return authenticateNow(request, options);
      authenticateNow(request, options);
      throw needsReading();
    },
    async authenticateAsync(source, options) {
      const request = toRequest(source, options?.method);
      try {
        return authenticateNow(request, options);
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        return authenticateLater(request, options);
      }
    },
    check(source, options) {
      const request = toRequest(source, options?.method);
      try {
        return { ok: true, authentication: authenticateNow(request, options) };
      } catch (error) {
        if (!isUnavailable(error)) return refuse(error);
        return authenticateLater(request, options).then((authentication) => ({ ok: true, authentication }), refuse);
      }
    },
    verify: verifyNow,
    signal: (claims, { signal } = {}) => (isClosed ? AbortSignal.abort(closed()) : signals.signal(claims, { signal })),
    status: () => {
      const { entries = 0, isConnected = keys.failure === null, failure = null, bytes = 0 } = feed?.status() ?? {};
      return {
        ready: reading.isReady(),
        staleness: feed?.staleness() ?? Number.POSITIVE_INFINITY,
        entries,
        keys: keys.kids,
        connected: isConnected,
        lastError: failure ?? keys.failure,
        bytes,
        acceptedStale: feed?.acceptedStale ?? 0,
        readers: relay?.stats() ?? null,
      };
    },
    async feed(request) {
      if (relay === null) throw new SettingError("relay", "is needed to serve the feed onward.");
      return relay.answer(request);
    },
    close() {
      isClosed = true;
      feed?.stop();
      relay?.stop();
      signals.onStaleness(Number.POSITIVE_INFINITY);
      const reason = closed();
      keys.stop(reason);
      reading.stop(reason);
    },
  };
  if (!reading.isOnDemand) {
    keys.start();
    feed?.start();
  }
  return Object.freeze(verifier);
}

const closed = () => new AuthError("unavailable", "the verifier was closed");
