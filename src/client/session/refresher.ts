import { ClientError, isUnauthorized } from "../client-error.ts";
import { unexpectedResponse } from "../transport/json-call.ts";
import { type GetIdempotencyKey, type Transport, toId, toUser } from "../transport/transport.ts";
import type { Records } from "./records.ts";
import { anyToken, newToken, type Schedule } from "./schedule.ts";
import type { Session } from "./session.ts";
import type { LogoutReason, Problem, SessionStateHolder } from "./session-state.ts";

/** The parts that a refresher works with. */
export interface RefresherParts {
  readonly transport: Transport;
  readonly records: Records;
  readonly schedule: Schedule;
  readonly session: Session;
  readonly state: SessionStateHolder;
}

/** Keeps the session alive. None of these functions rejects: a failure becomes the state's `problem`. */
export interface Refresher {
  /** Finds out whether a user is logged in. */
  readonly start: () => Promise<void>;
  /**
   * Ensures that there is an access token that was received at `notBefore` or later, and that its user is known. Waits
   * for a refresh that is already running. Sends nothing during a back-off.
   */
  readonly ensure: (notBefore: number) => Promise<void>;
  /** Prepares a request: applies what other tabs did, and refreshes if the access token may have expired. */
  readonly prepare: () => Promise<void>;
  /** Does what is due, after a timer or after the page became active again. */
  readonly check: () => Promise<void>;
  /** Refreshes now, although it isn't due, unless the server sent a `Retry-After`. */
  readonly refresh: () => Promise<void>;
}

/** Creates a refresher. It sends nothing until one of its functions is called. */
export function createRefresher({ transport, records, schedule, session, state }: RefresherParts): Refresher {
  let running: Promise<void> | undefined;

  const isAnonymous = () => state.get().status === "anonymous" && !schedule.receivedAt();

  async function ensure(notBefore: number): Promise<void> {
    await running;
    if (schedule.isBackingOff() || (isAnonymous() && notBefore !== newToken)) return;
    if (schedule.isLive(notBefore) && session.isUserKnown()) {
      // Another tab refreshed although this tab failed to.
      if (notBefore >= schedule.retryTarget()) schedule.resetBackoff();
      return;
    }
    running ??= session
      .exclusive((locked) => run(notBefore, locked))
      .finally(() => {
        running = undefined;
        schedule.startTimer();
      });
    await running;
  }

  async function run(notBefore: number, locked: boolean): Promise<void> {
    try {
      await session.sync();
      if (!schedule.isLive(notBefore)) await refresh(locked);
      await loadUser(locked);
      schedule.resetBackoff();
      state.setProblem();
    } catch (error) {
      const failure = error instanceof ClientError ? error : unexpectedResponse();
      schedule.backOff(notBefore, failure.retryAfter);
      state.setProblem(toProblem(failure));
    }
  }

  /** Gets a new access token, or clears the session. */
  async function refresh(locked: boolean, isRetry = false): Promise<void> {
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
      await session.accept(() => transport.refresh(getIdempotencyKey));
    } catch (error) {
      if (!isUnauthorized(error)) {
        if (hasChanged()) return;
        throw error;
      }
      await session.sync();
      // Another tab has received a new token meanwhile, so the server may have refused the previous one.
      if (!isRetry && schedule.receivedAt() && hasChanged()) return refresh(locked, true);
      await session.clear(toLogoutReason(error, session.isKnown()));
    }
  }

  /** Loads the user of the access token, if there is a token. */
  async function loadUser(locked: boolean, isRetry = false): Promise<void> {
    if (!schedule.receivedAt() || session.isUserKnown()) return;
    try {
      const me = await transport.call("GET", "me/");
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
    async prepare() {
      await session.sync();
      if (isAnonymous()) return;
      const ensured = ensure(anyToken);
      if (!schedule.isLive(anyToken)) await ensured;
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

/** Returns why the server refused to refresh. */
function toLogoutReason(error: ClientError, wasKnown: boolean): LogoutReason | undefined {
  if (error.code === "password_changed") return "password_changed";
  if (error.code === "not_authenticated") return wasKnown ? "expired" : undefined;
  return error.message === "Token is expired" ? "expired" : "revoked";
}

function toProblem({ code, status }: ClientError): Problem {
  if (code === "offline" || code === "timeout") return code;
  return status === 429 ? "throttled" : "unavailable";
}
