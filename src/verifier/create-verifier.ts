import type { RequestOptions } from "../auth-options.ts";
import type { AccessClaims, ApplicationClaims } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import { requireAuthentication } from "../core/require-authentication.ts";
import { systemRandom } from "../core/runtime/random.ts";
import type { Schedule } from "../core/runtime/schedule.ts";
import { SettingError } from "../core/settings/setting-error.ts";
import { createAccessTokens } from "../crypto/tokens/access-tokens.ts";
import { type RequestLike, toRequest } from "../http/request/headers.ts";
import { toErrorResponse } from "../http/response/errors.ts";
import { withStandardHeaders } from "../http/response/json.ts";
import { createSignals } from "../revocation/signals.ts";
import { createIssuerKeys } from "./issuer-keys.ts";
import { createIssuerRequests } from "./issuer-requests.ts";
import { createNews } from "./news.ts";
import type { VerifierEvent, VerifierOptions } from "./options.ts";
import { createReading } from "./reading.ts";
import { createRelay } from "./relay.ts";
import { createRequestChecks } from "./request-checks.ts";
import { findRuntime, type Runtime } from "./runtime.ts";
import type { Verifier, VerifierCheckResult } from "./verifier.ts";
import { toVerifierConfig, type VerifierConfig } from "./verifier-config.ts";
import { createVerifierFeed, type VerifierFeed } from "./verifier-feed.ts";

/**
 * Creates a verifier: it verifies access tokens in a service that has no database, with the issuer's public keys and its revocation
 * feed. It begins to read at once, except with `revocations: "pull"`. Call `close` when it isn't needed any more.
 *
 * @typeParam C the claims that the issuer's application adds to tokens.
 * @throws SettingError if an option is missing or wrong; TypeError if one is unknown.
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

/** What a test replaces. */
export interface VerifierInternals {
  /** Default: the machine's timers. */
  readonly schedule?: Schedule;
  /** Returns a number from 0 to 1. Default: `Math.random`. */
  readonly random?: () => number;
}

/** Creates what `createVerifier` creates, with other timers. */
export function createVerifierWith(options: VerifierOptions, internals: VerifierInternals = {}): Verifier {
  const config = toVerifierConfig(options);
  const runtime = toRuntime(config, options, internals);
  const { clock, schedule } = runtime;
  const { settings, revocations: mode } = config;
  const emit = toEmitter(options.onEvent);
  const news = createNews(schedule);
  const requests = createIssuerRequests({
    url: config.url,
    authPath: settings.authPath,
    credential: config.credential,
    reader: toReaderId(),
    // Called as a function of no object, which some runtimes require.
    fetch: options.fetch ?? ((...request) => fetch(...request)),
  });
  const keys = createIssuerKeys({
    requests,
    clock,
    schedule,
    maxStaleness: config.onStale === "refuse" ? config.maxStaleness * 1000 : null,
    isFeedFresh: mode === false ? null : () => !isPremature && feed?.isFresh() === true,
    onChange: (kids) => emit({ type: "keys_changed", keys: kids }),
    onFailure: (reason) => emit({ type: "keys_failed", reason }),
    onRead: news.notify,
  });
  const feed: VerifierFeed | null =
    mode === false
      ? null
      : createVerifierFeed({
          ...{ config, mode, requests, keys, runtime, emit },
          random: internals.random ?? Math.random,
          onNews: news.notify,
        });
  const relayLog = feed?.relayLog ?? null;
  const relay =
    config.relay === null || feed === null || relayLog === null
      ? null
      : createRelay({ config, relay: config.relay, relayLog, feed, keys, runtime });
  const signals = feed?.signals ?? createExpirySignals(config, runtime);
  const reading = createReading({ keys, feed, news, runtime });
  const authenticateRequest = createRequestChecks(settings);
  const tokens = createAccessTokens({ keys: requireOpenKeys, clock, settings });
  let isClosed = false;
  /** Whether the token that is being verified will be verified again, after something was read. */
  let isPremature = false;

  function requireOpenKeys() {
    if (isClosed) throw closed();
    return keys.current();
  }

  function verify(token: string): AccessClaims {
    // One reading of the clock for the token's times and the freshness.
    const wall = clock.wall();
    const claims = tokens.verify(token, Math.floor(wall / 1000));
    feed?.requireNotRevoked(claims, wall);
    return claims;
  }

  /** As `verify`, but a token is accepted only if nothing must be read first. */
  function verifyNow(token: string): AccessClaims {
    isPremature = reading.isDue();
    try {
      const claims = verify(token);
      if (isPremature) throw needsReading();
      return claims;
    } finally {
      isPremature = false;
    }
  }

  /** @throws AuthError also `confirmation_required`. */
  function authenticateBy(
    check: typeof verify,
    request: RequestLike,
    requirement: RequestOptions | undefined,
  ): AccessClaims {
    const claims = authenticateRequest(request, check);
    requireAuthentication(claims, requirement, clock);
    return claims;
  }

  const authenticateNow = (request: RequestLike, requirement?: RequestOptions) =>
    authenticateBy(verifyNow, request, requirement);

  /** Reads, or waits for what is being read, and then decides. */
  const authenticateLater = (request: RequestLike, requirement?: RequestOptions) =>
    reading.retry(() => {
      if (isClosed) throw closed();
      return authenticateBy(verify, request, requirement);
    });

  const refuse = (error: unknown): VerifierCheckResult => {
    if (!(error instanceof AuthError)) throw error;
    return { ok: false, response: withStandardHeaders(toErrorResponse(error, "resource", settings)) };
  };
  const isUnavailable = (error: unknown) => error instanceof AuthError && error.code === "unavailable";

  const verifier: Verifier = {
    ready: ({ signal } = {}) => reading.whenReady(signal),
    authenticate(source, options) {
      const request = toRequest(source, options?.method);
      if (mode !== "pull") return authenticateNow(request, options);
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
        ready: !isClosed && reading.isReady(),
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
      keys.stop();
      reading.stop(closed());
    },
  };
  if (!reading.isOnDemand) {
    keys.start();
    feed?.start();
  }
  return Object.freeze(verifier);
}

const needsReading = () => new AuthError("unavailable", 'revocations: "pull" needs authenticateAsync');
const closed = () => new AuthError("unavailable", "the verifier was closed");

/** @throws SettingError if the runtime can't do what the options need. */
function toRuntime(
  { revocations }: VerifierConfig,
  { clock }: VerifierOptions,
  { schedule }: VerifierInternals,
): Runtime {
  const found = findRuntime();
  if (!found.hasBackground && revocations !== "pull" && revocations !== false) {
    throw new SettingError("revocations", 'must be "pull" in workerd, which does nothing between requests.');
  }
  return { ...found, ...(clock === undefined ? {} : { clock }), ...(schedule === undefined ? {} : { schedule }) };
}

/** Returns a function that returns this verifier's name for itself, made when it is first needed: workerd makes none before a request. */
function toReaderId(): () => string {
  let id: string | undefined;
  return () => {
    id ??= Buffer.from(systemRandom(16)).toString("hex");
    return id;
  };
}

/** What a listener throws must not stop the reading. */
function toEmitter(onEvent: VerifierOptions["onEvent"]): (event: VerifierEvent) => void {
  return (event) => {
    try {
      onEvent?.(event);
    } catch {
      // The listener's own affair.
    }
  };
}

/** Returns signals that follow the token's `exp` alone. */
function createExpirySignals({ settings }: VerifierConfig, { clock, schedule }: Runtime) {
  return createSignals({
    index: { isRevoked: () => false },
    clock,
    leeway: settings.leeway,
    accessTokenLifetime: settings.accessTokenLifetime,
    // Only `close` makes it longer than that.
    maxStaleness: Number.MAX_VALUE,
    staleness: () => 0,
    findSessionEnd: async () => null,
    schedule,
  });
}
