import { type ClientError, isUnauthorized, unexpectedResponse } from "../client-error.ts";
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
  /**
   * Applies what other tabs did, and ensures that there is an access token that was received at `notBefore` or later, and
   * that its user is known. Waits for a refresh only if necessary, and sends nothing during a back-off. Default: `anyToken`.
   */
  readonly ensure: (notBefore?: number) => Promise<void>;
  /** Asks the server who is logged in, because it may not be who the state shows. */
  readonly identify: () => Promise<void>;
  /** Does what is due, after a timer, or after the page became active again. */
  readonly check: () => Promise<void>;
  /** Refreshes now, even if it isn't due, unless the server sent a `Retry-After` header. */
  readonly refresh: () => Promise<void>;
  /**
   * Gives up on a refresh that is running or late, because its response could replace newer tokens, and on what was sent
   * with the previous signal. Returns the signal for the next call.
   */
  readonly stop: () => AbortSignal;
}

/** Creates a refresher. It sends nothing until one of its functions is called. */
export function createRefresher(parts: RefresherParts): Refresher {
  const { env, transport, records, schedule, session, state, timeout } = parts;
  let running: Promise<void> | undefined;
  let interruption = new AbortController();

  const isAnonymous = () => state.get().status === "anonymous" && !schedule.token();
  const isGood = (notBefore: number) => schedule.isLive(notBefore) && session.hasUser();

  /** Does what `ensure` does, for what this tab knows. */
  async function obtain(notBefore: number): Promise<void> {
    if (!isGood(notBefore)) await running;
    if (schedule.waits() || (isAnonymous() && notBefore !== newToken)) return;
    if (!isGood(notBefore)) await run(notBefore);
    // Otherwise another tab refreshed although this tab failed to.
    else schedule.reset(notBefore);
  }

  function run(notBefore: number): Promise<void> {
    running ??= session
      .lock((locked) => attempt(notBefore, locked))
      .finally(() => {
        running = undefined;
        schedule.start();
      });
    return running;
  }

  async function attempt(notBefore: number, locked: boolean): Promise<void> {
    const { signal, stop } = createTimeout(env, timeout);
    const before = schedule.token();
    try {
      // What comes late still counts: the work isn't stopped.
      await untilAborted(work(notBefore, locked), signal);
      schedule.reset();
      state.report();
    } catch (error) {
      // An earlier attempt, which came late, or another tab has succeeded meanwhile.
      if (schedule.token() !== before && session.hasUser()) return;
      schedule.backOff(notBefore, error as ClientError);
      state.report(toProblem(error));
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
    const before = schedule.token();
    const hasChanged = () => schedule.token() !== before;
    const getKey: GetIdempotencyKey = async (fingerprint) => {
      const key = await records.getKey(fingerprint, locked);
      await session.sync();
      // Another tab has just refreshed. A second rotation could overtake a third tab's request with the previous token.
      if (hasChanged()) throw unexpectedResponse();
      return key;
    };
    try {
      const { user } = await session.accept(() => transport.refresh(getKey, Boolean(before), interruption.signal));
      if (asksUser && !user) session.forget();
    } catch (error) {
      if (!isUnauthorized(error)) throw error;
      await session.sync();
      // Another tab has received a new token meanwhile, so the server may have refused the previous one.
      if (!isRetry && schedule.token() && hasChanged()) return refresh(locked, asksUser, true);
      if (error.sessionEnded || transport.endsOn401())
        return session.clear(toLogoutReason(error, Boolean(schedule.token())));
      if (!schedule.refused()) throw error;
      await session.clear("refused");
    }
  }

  /** Loads the user of the access token, if there is a token. */
  async function loadUser(locked: boolean, isRetry = false): Promise<void> {
    if (!schedule.token() || session.hasUser()) return;
    try {
      const me = await transport.call("GET", toFreshPath(env, "me/"), undefined, { signal: interruption.signal });
      const user = toUser(me);
      const id = toId(me["session"]);
      if (!user || !id) throw unexpectedResponse();
      await session.setUser(user, id);
    } catch (error) {
      if (isRetry || !isUnauthorized(error)) throw error;
      await refresh(locked);
      await loadUser(locked, true);
    }
  }

  async function ensure(notBefore = anyToken): Promise<void> {
    await session.sync();
    await obtain(notBefore);
  }

  return {
    ensure,
    async identify() {
      await running;
      session.forget();
      await run(anyToken);
    },
    async check() {
      await session.sync();
      if (isAnonymous()) return;
      await obtain(schedule.due());
      schedule.start();
    },
    refresh: () => running ?? obtain(newToken),
    stop() {
      interruption.abort();
      interruption = new AbortController();
      return interruption.signal;
    },
  };
}
