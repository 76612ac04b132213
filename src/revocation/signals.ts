import type { AccessClaims } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import type { Revocation } from "../core/revocation.ts";
import type { Clock } from "../core/runtime/clock.ts";
import type { Schedule } from "../core/runtime/schedule.ts";
import { unrefSchedule } from "../core/runtime/schedule.ts";
import type { RevocationIndex } from "./revocation-index.ts";

/** Ends what is open under an access token when the token ends: WebSockets, server-sent events, long polls. */
export interface Signals {
  /**
   * A signal that aborts when the token expires (within a second) or is revoked; aborted already where it has or is. Its
   * reason is an `AuthError`, `token_expired` or `token_revoked`. One token has one signal, however often it is asked for.
   */
  signal(claims: AccessClaims): AbortSignal;
  /** Aborts what `revocation` ends. Call it once the index has the revocation. */
  onRevocation(revocation: Revocation): void;
  /** Lets go of every signal without aborting it. */
  stop(): void;
}

/** Milliseconds after which a timer looks at the clock again: a day, as none takes more than 2^31 - 1. */
const LONGEST_TIMER = 86_400_000;

/** What is known of one token with a signal; gone when it has fired, so at the latest when the token expires. */
interface Registration {
  readonly claims: AccessClaims;
  readonly controller: AbortController;
  timer: { cancel(): void };
}

/** Makes signals that follow `index`. `leeway` is in seconds. */
export function createSignals(options: {
  readonly index: RevocationIndex;
  readonly clock: Clock;
  readonly leeway: number;
  readonly schedule?: Schedule | undefined;
}): Signals {
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
