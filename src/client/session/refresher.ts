import { ClientError, isUnauthorized, unexpectedResponse } from "../client-error.ts";
import type { Environment } from "../environment.ts";
import { createTimeout } from "../transport/json-call.ts";
import { untilAborted } from "../transport/outgoing.ts";
import { type GetIdempotencyKey, type Transport, toFreshPath, toId, toUser } from "../transport/transport.ts";
import type { Records } from "./records.ts";
import { toLogoutReason, toProblem } from "./refusal.ts";
import { anyToken, newToken, type Schedule } from "./schedule.ts";
import type { Session } from "./session.ts";
import type { SessionStateHolder } from "./session-state.ts";

/** The dependencies of a refresher. */
export interface RefresherParts {
  readonly env: Environment;
  readonly transport: Transport;
  readonly records: Records;
  readonly schedule: Schedule;
  readonly session: Session;
  readonly state: SessionStateHolder;
  /** The number of seconds after which a refresh is reported as a problem and tried again. */
  readonly timeout: number;
}

/**
 * Keeps the session alive. A failure becomes the state's `problem`, so these functions reject only because of a defect,
 * for example of a function that the application passed.
 */
export interface Refresher {
  /** Finds out whether a user is logged in. */
  readonly start: () => Promise<void>;
  /**
   * Ensures that there is an access token that was received at `notBefore` or later, and that its user is known. Waits
   * for a refresh that is already running. Sends nothing during a back-off.
   */
  readonly ensure: (notBefore: number) => Promise<void>;
  /** Asks the server who is logged in, because the state shows a different user. */
  readonly identify: () => Promise<void>;
  /**
   * Prepares a request: applies the changes of other tabs, refreshes if the access token may have expired, and loads the
   * user if it isn't known.
   */
  readonly prepare: () => Promise<void>;
  /** Does what is due. Call it after a timer, or after the page became active again. */
  readonly check: () => Promise<void>;
  /** Refreshes now, even if it isn't due, unless the server sent a `Retry-After` header. */
  readonly refresh: () => Promise<void>;
}

/** Creates a refresher. It sends nothing until one of its functions is called. */
export function createRefresher(parts: RefresherParts): Refresher {
  const { env, transport, records, schedule, session, state, timeout } = parts;
  let running: Promise<void> | undefined;

  const isAnonymous = () => state.get().status === "anonymous" && !schedule.receivedAt();

  async function ensure(notBefore: number): Promise<void> {
    await running;
    if (schedule.isBackingOff() || (isAnonymous() && notBefore !== newToken)) return;
    if (!schedule.isLive(notBefore) || !session.isUserKnown()) await run(notBefore);
    // Another tab refreshed although this tab failed to.
    else if (notBefore >= schedule.retryTarget()) schedule.resetBackoff();
  }

  function run(notBefore: number): Promise<void> {
    running ??= session
      .exclusive((locked) => attempt(notBefore, locked))
      .finally(() => {
        running = undefined;
        schedule.startTimer();
      });
    return running;
  }

  async function attempt(notBefore: number, locked: boolean): Promise<void> {
    const { signal, stop } = createTimeout(env, timeout * 1000);
    const before = schedule.receivedAt();
    try {
      // What comes late still counts: the work isn't stopped.
      await untilAborted(work(notBefore, locked), signal);
      schedule.resetBackoff();
      state.setProblem();
    } catch (error) {
      // An earlier attempt, which came late, or another tab has succeeded meanwhile.
      if (schedule.receivedAt() !== before && session.isUserKnown()) return;
      const failure = error instanceof ClientError ? error : undefined;
      schedule.backOff(notBefore, failure);
      if (!failure) throw error;
      state.setProblem(toProblem(failure));
    } finally {
      stop();
    }
  }

  async function work(notBefore: number, locked: boolean): Promise<void> {
    await session.sync();
    if (!schedule.isLive(notBefore) || transport.isAnonymous?.()) await refresh(locked, notBefore === newToken);
    await loadUser(locked);
  }

  /**
   * Gets a new access token, or clears the session. With `asksUser`, the user becomes unknown if the response contains no
   * user.
   */
  async function refresh(locked: boolean, asksUser = false, isRetry = false): Promise<void> {
    const before = schedule.receivedAt();
    const hasChanged = () => schedule.receivedAt() !== before;
    const getIdempotencyKey: GetIdempotencyKey = async (fingerprint) => {
      const key = await records.getIdempotencyKey(fingerprint, locked);
      await session.sync();
      // Another tab has just refreshed. A second rotation could overtake a third tab's request with the previous token.
      if (hasChanged()) throw unexpectedResponse();
      return key;
    };
    try {
      const { user } = await session.accept(() => transport.refresh(getIdempotencyKey, session.isKnown()));
      if (asksUser && !user) session.forgetUser();
    } catch (error) {
      if (!isUnauthorized(error)) throw error;
      await session.sync();
      // Another tab has received a new token meanwhile, so the server may have refused the previous one.
      if (!isRetry && schedule.receivedAt() && hasChanged()) return refresh(locked, asksUser, true);
      if (error.sessionEnded || transport.endsOn401()) return session.clear(toLogoutReason(error, session.isKnown()));
      if (!schedule.countRefusal()) throw error;
      await session.clear("refused");
    }
  }

  /** Loads the user of the access token, if there is a token. */
  async function loadUser(locked: boolean, isRetry = false): Promise<void> {
    if (!schedule.receivedAt() || session.isUserKnown()) return;
    try {
      const me = await transport.call("GET", toFreshPath(env, "me/"));
      const user = toUser(me);
      const id = toId(me["session"]);
      if (!user || !id) throw unexpectedResponse();
      await (session.wasCleared(id) ? session.clear() : session.setUser(user, id));
    } catch (error) {
      if (isRetry || !isUnauthorized(error)) throw error;
      await refresh(locked);
      await loadUser(locked, true);
    }
  }

  return {
    start: () => ensure(anyToken),
    ensure,
    async identify() {
      await running;
      session.forgetUser();
      await run(anyToken);
    },
    async prepare() {
      await session.sync();
      if (isAnonymous()) return;
      const ensured = ensure(anyToken);
      if (!schedule.isLive(anyToken) || !session.isUserKnown()) await ensured;
    },
    async check() {
      await session.sync();
      if (isAnonymous()) return;
      const target = schedule.retryTarget();
      await ensure(schedule.isRefreshDue() ? Math.max(target, schedule.now().monotonic) : target);
      schedule.startTimer();
    },
    refresh: () => running ?? ensure(newToken),
  };
}
