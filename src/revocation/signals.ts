import type { AccessClaims } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import type { Revocation } from "../core/revocation.ts";
import type { Clock } from "../core/runtime/clock.ts";
import type { Schedule } from "../core/runtime/schedule.ts";
import { unrefSchedule } from "../core/runtime/schedule.ts";
import type { RevocationIndex } from "./revocation-index.ts";

/** Aborts what is open under an access token when the token expires or is revoked: WebSockets, event streams, long polls. */
export interface Signals {
  /**
   * Returns a signal that aborts when the token expires (within a second) or is revoked. It is aborted already if the token
   * has expired or is revoked. Its reason is an `AuthError`, `token_expired` or `token_revoked`. One token has one signal.
   */
  signal(claims: AccessClaims): AbortSignal;
  /** Aborts the signals of the tokens that `revocation` revokes. Call it when the index has the revocation. */
  onRevocation(revocation: Revocation): void;
  /** Forgets every signal without aborting it. */
  stop(): void;
  /** How many entries are held in memory: up to three for each pending signal, and none without pending signals. */
  readonly size: number;
}

/** The longest timer, in milliseconds: a day. Timers of more than 2^31 - 1 ms don't work, so longer ones are set again. */
const LONGEST_TIMER = 86_400_000;

/** A token with a pending signal. It is removed when the signal fires, which is at the latest when the token expires. */
interface Registration {
  readonly claims: AccessClaims;
  readonly controller: AbortController;
  timer: { cancel(): void };
}

/** What signals need. */
export interface SignalsOptions {
  readonly index: RevocationIndex;
  readonly clock: Clock;
  /** Seconds. */
  readonly leeway: number;
  readonly schedule?: Schedule | undefined;
}

/** Creates the signals of this process. */
export function createSignals(options: SignalsOptions): Signals {
  const { index, clock, leeway, schedule = unrefSchedule } = options;
  const byToken = new Map<string, Registration>();
  const bySession = new Map<string, Set<Registration>>();
  const byUser = new Map<string, Set<Registration>>();

  const secondsLeft = (claims: AccessClaims) => claims.expiresAt + leeway - clock.now();

  function startTimer(claims: AccessClaims): { cancel(): void } {
    return schedule(() => expire(claims.tokenId), Math.min(secondsLeft(claims) * 1000, LONGEST_TIMER));
  }

  function expire(tokenId: string): void {
    const registration = byToken.get(tokenId);
    if (registration === undefined) return;
    if (secondsLeft(registration.claims) <= 0) fire(registration, tokenExpired());
    else registration.timer = startTimer(registration.claims);
  }

  function fire(registration: Registration, reason: AuthError): void {
    const { claims, controller, timer } = registration;
    timer.cancel();
    byToken.delete(claims.tokenId);
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
      case "token": {
        const registration = byToken.get(revocation.tokenId);
        return registration === undefined ? [] : [registration];
      }
      case "all":
        return byToken.values();
    }
  }

  return {
    signal(claims) {
      if (secondsLeft(claims) <= 0) return AbortSignal.abort(tokenExpired());
      if (index.isRevoked(claims)) return AbortSignal.abort(tokenRevoked());
      const known = byToken.get(claims.tokenId);
      if (known !== undefined) return known.controller.signal;

      const registration = { claims, controller: new AbortController(), timer: startTimer(claims) };
      byToken.set(claims.tokenId, registration);
      addTo(bySession, claims.sessionId, registration);
      addTo(byUser, claims.userId, registration);
      return registration.controller.signal;
    },

    onRevocation(revocation) {
      for (const registration of [...affectedBy(revocation)]) {
        if (index.isRevoked(registration.claims)) fire(registration, tokenRevoked());
      }
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
const tokenRevoked = () => new AuthError("token_revoked", "the access token was revoked while it was in use");

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
