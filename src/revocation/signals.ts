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
   * `token_revoked` or `unavailable`.
   *
   * Pass `signal` if the work may end before that, with `until: "session"` in any case. When it aborts, the work is forgotten.
   * Without `signal`, each token has at most one signal of each kind.
   */
  signal(claims: AccessClaims, options?: SignalUse): AbortSignal;
  /** Aborts the signals of all tokens that `revocation` revokes. Call it after the index has applied the revocation. */
  onRevocation(revocation: Revocation): void;
  /**
   * Aborts the signals of the revoked tokens in these groups. Call it when the index has the revocations.
   *
   * @param groups `null`: all.
   * @param reason why they were revoked, if it is known.
   */
  recheck(groups: Iterable<TokenGroup> | null, reason?: RevokeReason): void;
  /** Aborts every signal if the knowledge of revocations is too stale. Call it regularly. */
  onStaleness(seconds: number): void;
  /** Forgets every signal without aborting it. */
  stop(): void;
  /** The number of entries in memory: up to three for each pending signal. */
  readonly size: number;
}

/** What names the tokens that one revocation may revoke: those of a session, those of a user, or one token. */
export type TokenGroup = string | number;

/** Returns the groups of a token: its own, its session's and its user's. Tokens of other sessions may share one by chance. */
export type ToTokenGroups = (claims: AccessClaims) => readonly [TokenGroup, TokenGroup, TokenGroup];

/** What a signal follows: the access token, or its session through refreshes. */
export type SignalEnd = "token" | "session";

/** What a signal follows, and for how long it is needed. */
export interface SignalUse {
  /** Default: "token". */
  readonly until?: SignalEnd | undefined;
  /** Aborts when the signal isn't needed any more. The returned signal then aborts, too. */
  readonly signal?: AbortSignal | undefined;
}

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

/** A token with pending signals. It is removed when they are aborted, or when none of them is needed any more. */
interface Registration {
  readonly claims: AccessClaims;
  readonly until: SignalEnd;
  readonly groups: readonly TokenGroup[];
  readonly users: Set<AbortController>;
  /** The one of `users` for all work that doesn't tell when it ends. */
  shared: AbortController | null;
  timer: Timer;
}

/** The options of `createSignals`. */
export interface SignalsOptions {
  readonly index: Pick<RevocationIndex, "isRevoked">;
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
  /** Default: by the ids themselves, as `onRevocation` needs them. */
  readonly toGroups?: ToTokenGroups;
  readonly schedule?: Schedule | undefined;
}

const toTokenGroup = (tokenId: string): TokenGroup => `t:${tokenId}`;
const toSessionGroup = (sessionId: string): TokenGroup => `s:${sessionId}`;
const toUserGroup = (userId: string): TokenGroup => `u:${userId}`;
const toOwnGroups: ToTokenGroups = ({ tokenId, sessionId, userId }) => [
  toTokenGroup(tokenId),
  toSessionGroup(sessionId),
  toUserGroup(userId),
];

/** Creates the signals of this process. */
export function createSignals(options: SignalsOptions): Signals {
  const { index, clock, leeway, accessTokenLifetime, maxStaleness, staleness, findSessionEnd } = options;
  const { toGroups = toOwnGroups, schedule = unrefSchedule } = options;
  const pending = new Set<Registration>();
  const groups = new Map<TokenGroup, Set<Registration>>();

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
      if (!pending.has(registration)) return;
      if (left === null) fire(registration, sessionOver());
      else startTimer(registration, Math.min(left + 1, accessTokenLifetime));
    } catch {
      // If the store stays away, the knowledge of revocations gets too stale.
      if (pending.has(registration)) startTimer(registration, retryDelay / 1000);
    }
  }

  function register(claims: AccessClaims, until: SignalEnd, own: readonly TokenGroup[]): Registration {
    const users = new Set<AbortController>();
    const registration = { claims, until, groups: own, users, shared: null, timer: { cancel() {} } };
    startTimer(registration, secondsLeft(claims));
    pending.add(registration);
    for (const group of own) addTo(groups, group, registration);
    return registration;
  }

  function remove(registration: Registration): void {
    registration.timer.cancel();
    pending.delete(registration);
    for (const group of registration.groups) removeFrom(groups, group, registration);
  }

  function fire(registration: Registration, reason: AuthError): void {
    remove(registration);
    for (const user of registration.users) user.abort(reason);
  }

  /** Returns the signal for work that doesn't tell when it ends. */
  function share(registration: Registration): AbortSignal {
    registration.shared ??= addUser(registration);
    return registration.shared.signal;
  }

  /** Returns a signal for work that ends with `gone`. `AbortSignal.any` would stay with a token that others use. */
  function lend(registration: Registration, gone: AbortSignal): AbortSignal {
    const user = addUser(registration);
    const release = () => {
      registration.users.delete(user);
      if (registration.users.size === 0) remove(registration);
      user.abort(gone.reason);
    };
    gone.addEventListener("abort", release, { once: true, signal: user.signal });
    return user.signal;
  }

  function recheck(affected: Iterable<TokenGroup> | null, reason?: RevokeReason): void {
    if (pending.size === 0) return;
    const found = affected === null ? [...pending] : [...affected].flatMap((group) => [...(groups.get(group) ?? [])]);
    // A signal may be in two of the groups.
    for (const one of found) if (pending.has(one) && index.isRevoked(one.claims)) fire(one, tokenRevoked(reason));
  }

  function find({ tokenId }: AccessClaims, [group]: readonly TokenGroup[], until: SignalEnd): Registration | undefined {
    const sharing = group === undefined ? undefined : groups.get(group);
    return sharing && [...sharing].find((one) => one.until === until && one.claims.tokenId === tokenId);
  }

  return {
    signal(claims, { until = "token", signal: gone } = {}) {
      if (secondsLeft(claims) <= 0) return AbortSignal.abort(tokenExpired());
      if (index.isRevoked(claims)) return AbortSignal.abort(tokenRevoked());
      if (isTooStale(staleness())) return AbortSignal.abort(tooStale());
      if (gone?.aborted) return AbortSignal.abort(gone.reason);
      const own = toGroups(claims);
      const registration = find(claims, own, until) ?? register(claims, until, own);
      return gone === undefined ? share(registration) : lend(registration, gone);
    },

    onRevocation: (revocation) => recheck(toAffected(revocation), revocation.reason),
    recheck,

    onStaleness(seconds) {
      if (pending.size > 0 && isTooStale(seconds)) for (const one of [...pending]) fire(one, tooStale());
    },

    stop() {
      for (const { timer } of pending) timer.cancel();
      pending.clear();
      groups.clear();
    },

    get size() {
      return groups.size;
    },
  };
}

const tokenExpired = () => new AuthError("token_expired", "the access token expired while it was in use");
const tokenRevoked = (reason?: RevokeReason) =>
  new AuthError(
    "token_revoked",
    `the access token was revoked while it was in use${reason === undefined ? "" : `: ${reason}`}`,
    { revokeReason: reason },
  );
const sessionOver = () => new AuthError("token_expired", "the session expired while it was in use");
const tooStale = () => new AuthError("unavailable", "revocations are too stale");

/** Returns the groups of the tokens that a revocation may revoke; `null`: all. */
function toAffected(revocation: Revocation): readonly TokenGroup[] | null {
  switch (revocation.kind) {
    case "session":
      return [toSessionGroup(revocation.sessionId)];
    case "user":
      return [toUserGroup(revocation.userId)];
    case "token":
      // Also a signal that follows the session: it was requested with a token that may have been stolen.
      return [toTokenGroup(revocation.tokenId)];
    case "all":
      return null;
  }
}

function addUser({ users }: Registration): AbortController {
  const user = new AbortController();
  users.add(user);
  return user;
}

function addTo(groups: Map<TokenGroup, Set<Registration>>, key: TokenGroup, registration: Registration): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, new Set([registration]));
  else group.add(registration);
}

function removeFrom(groups: Map<TokenGroup, Set<Registration>>, key: TokenGroup, registration: Registration): void {
  const group = groups.get(key);
  group?.delete(registration);
  if (group?.size === 0) groups.delete(key);
}
