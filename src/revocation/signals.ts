import type { AccessClaims } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import type { Revocation } from "../core/revocation.ts";
import type { Clock } from "../core/runtime/clock.ts";
import type { Schedule, Timer } from "../core/runtime/schedule.ts";
import { unrefSchedule } from "../core/runtime/schedule.ts";
import type { RevokeReason } from "../core/session.ts";
import type { RevocationIndex } from "./revocation-index.ts";

/** Aborts long-running work of an access token when the token is no longer valid: WebSockets, event streams, long polls. */
export interface Signals {
  /**
   * Returns a signal that aborts when the token expires (within a second) or is revoked. It also aborts when this node's
   * knowledge of revocations is too old. With `until: "session"`, it follows the session instead: when the token expires,
   * the session is looked up, and the signal lasts as long as the session is live. If there already is a reason to abort,
   * the returned signal is already aborted. The signal's reason is an `AuthError` with the code `token_expired`,
   * `token_revoked` or `unavailable`. Each token has at most one signal of each kind.
   */
  signal(claims: AccessClaims, until?: SignalEnd): AbortSignal;
  /** Aborts the signals of all tokens that `revocation` revokes. Call it after the index has applied the revocation. */
  onRevocation(revocation: Revocation): void;
  /** Aborts every signal if this node's knowledge of revocations is too old. Call it regularly. */
  onStaleness(seconds: number): void;
  /** Forgets every signal without aborting it. */
  stop(): void;
  /** The number of entries in memory: up to three for each pending signal. */
  readonly size: number;
}

/** What a signal follows: the access token, or its session through refreshes. */
export type SignalEnd = "token" | "session";

const ends: readonly SignalEnd[] = ["token", "session"];

/**
 * Looks up a session for a signal that follows it.
 *
 * @returns the number of seconds until the session expires if it isn't refreshed, or `null` if it is no longer live.
 * @throws the errors of the store.
 */
export type FindSessionEnd = (sessionId: string) => Promise<number | null>;

/** The longest timer, in milliseconds: a day. Timers of more than 2^31 - 1 ms don't work, so a longer wait is split. */
const longestTimer = 86_400_000;

/** The number of milliseconds after which a session is looked up again if the store didn't answer. */
const retryDelay = 1_000;

/** A token with a pending signal. It is removed when the signal is aborted. */
interface Registration {
  readonly claims: AccessClaims;
  readonly until: SignalEnd;
  readonly controller: AbortController;
  timer: Timer;
}

/** The options of `createSignals`. */
export interface SignalsOptions {
  readonly index: RevocationIndex;
  readonly clock: Clock;
  /** The setting `leeway`, in seconds. */
  readonly leeway: number;
  /** The setting `accessTokenLifetime`, in seconds. */
  readonly accessTokenLifetime: number;
  /** The staleness, in seconds, beyond which all signals abort. `null` means that they never abort for this reason. */
  readonly maxStaleness: number | null;
  /** Returns the number of seconds since the start of the last complete read of the feed. */
  readonly staleness: () => number;
  readonly findSessionEnd: FindSessionEnd;
  readonly schedule?: Schedule | undefined;
}

/** Creates the signals of this process. */
export function createSignals(options: SignalsOptions): Signals {
  const { index, clock, leeway, accessTokenLifetime, maxStaleness, staleness, findSessionEnd } = options;
  const { schedule = unrefSchedule } = options;
  const byToken = new Map<string, Registration>();
  const bySession = new Map<string, Set<Registration>>();
  const byUser = new Map<string, Set<Registration>>();

  const toKey = ({ tokenId }: AccessClaims, until: SignalEnd) => `${until} ${tokenId}`;
  const secondsLeft = (claims: AccessClaims) => claims.expiresAt + leeway - clock.now();
  const isTooStale = (seconds: number) => maxStaleness !== null && seconds > maxStaleness;

  function startTimer(registration: Registration, seconds: number): void {
    registration.timer = schedule(() => void onTimer(registration), Math.min(seconds * 1000, longestTimer));
  }

  async function onTimer(registration: Registration): Promise<void> {
    const { claims, until } = registration;
    const left = secondsLeft(claims);
    if (left > 0) startTimer(registration, left);
    else if (until === "token") fire(registration, tokenExpired());
    else await followSession(registration);
  }

  /**
   * Looks the session up once in the lifetime of each access token. This is necessary because a session that expires has no
   * entry in the feed.
   */
  async function followSession(registration: Registration): Promise<void> {
    try {
      const left = await findSessionEnd(registration.claims.sessionId);
      if (registration.controller.signal.aborted || !isPending(registration)) return;
      if (left === null) fire(registration, sessionOver());
      else startTimer(registration, Math.min(left + 1, accessTokenLifetime));
    } catch {
      // If the store stays away, the knowledge of revocations gets too stale.
      if (isPending(registration)) startTimer(registration, retryDelay / 1000);
    }
  }

  const isPending = ({ claims, until }: Registration) => byToken.has(toKey(claims, until));

  function fire(registration: Registration, reason: AuthError): void {
    const { claims, until, controller, timer } = registration;
    timer.cancel();
    byToken.delete(toKey(claims, until));
    removeFrom(bySession, claims.sessionId, registration);
    removeFrom(byUser, claims.userId, registration);
    controller.abort(reason);
  }

  function affectedBy(revocation: Revocation): Iterable<Registration> {
    switch (revocation.kind) {
      case "session":
        return bySession.get(revocation.sessionId) ?? [];
      case "user":
        return byUser.get(revocation.userId) ?? [];
      case "token":
        // Also a signal that follows the session: it was requested with a token that may have been stolen.
        return ends
          .map((until) => byToken.get(`${until} ${revocation.tokenId}`))
          .filter((found) => found !== undefined);
      case "all":
        return byToken.values();
    }
  }

  return {
    signal(claims, until = "token") {
      if (secondsLeft(claims) <= 0) return AbortSignal.abort(tokenExpired());
      if (index.isRevoked(claims)) return AbortSignal.abort(tokenRevoked());
      if (isTooStale(staleness())) return AbortSignal.abort(tooStale());
      const known = byToken.get(toKey(claims, until));
      if (known !== undefined) return known.controller.signal;

      const registration = { claims, until, controller: new AbortController(), timer: { cancel() {} } };
      startTimer(registration, secondsLeft(claims));
      byToken.set(toKey(claims, until), registration);
      addTo(bySession, claims.sessionId, registration);
      addTo(byUser, claims.userId, registration);
      return registration.controller.signal;
    },

    onRevocation(revocation) {
      for (const registration of [...affectedBy(revocation)]) {
        if (index.isRevoked(registration.claims)) fire(registration, tokenRevoked(revocation.reason));
      }
    },

    onStaleness(seconds) {
      if (byToken.size > 0 && isTooStale(seconds)) for (const one of [...byToken.values()]) fire(one, tooStale());
    },

    stop() {
      for (const { timer } of byToken.values()) timer.cancel();
      for (const registrations of [byToken, bySession, byUser]) registrations.clear();
    },

    get size() {
      return byToken.size + bySession.size + byUser.size;
    },
  };
}

const tokenExpired = () => new AuthError("token_expired", "the access token expired while it was in use");
const tokenRevoked = (reason?: RevokeReason) =>
  new AuthError(
    "token_revoked",
    `the access token was revoked while it was in use${reason === undefined ? "" : `: ${reason}`}`,
  );
const sessionOver = () => new AuthError("token_expired", "the session expired while it was in use");
const tooStale = () => new AuthError("unavailable", "revocations are too stale");

function addTo(groups: Map<string, Set<Registration>>, key: string, registration: Registration): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, new Set([registration]));
  else group.add(registration);
}

function removeFrom(groups: Map<string, Set<Registration>>, key: string, registration: Registration): void {
  const group = groups.get(key);
  group?.delete(registration);
  if (group?.size === 0) groups.delete(key);
}
