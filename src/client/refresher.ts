import { ClientError, isRefusal } from "./client-error.ts";
import type { Records } from "./records.ts";
import { never, type Schedule } from "./schedule.ts";
import type { Session } from "./session.ts";
import type { EndReason, Problem, SessionStateHolder } from "./session-state.ts";
import { unexpected } from "./transport.ts";
import { type TakeAttempt, toId, toUser, type Wire } from "./wire.ts";

/** What the refresher works with. */
export interface RefresherParts {
  readonly wire: Wire;
  readonly records: Records;
  readonly schedule: Schedule;
  readonly session: Session;
  readonly state: SessionStateHolder;
}

/** Keeps the session alive. Nothing here rejects: what goes wrong stands in the state. */
export interface Refresher {
  /** Finds out whether somebody is logged in. */
  readonly start: () => Promise<void>;
  /**
   * Sees to it that the access token is live, arrived after `after` (milliseconds, monotonic), and that its user is
   * known. One flight at a time: joins the one there is. Asks nothing during a back-off.
   */
  readonly ensure: (after: number) => Promise<void>;
  /** Before a request: takes over what other tabs did, and refreshes where the access token may have expired. */
  readonly prepare: () => Promise<void>;
  /** After a timer or a waking: does what is due. */
  readonly check: () => Promise<void>;
  /** Refreshes now, whether or not that is due, unless the server asked to wait. */
  readonly refresh: () => Promise<void>;
}

const now = Number.POSITIVE_INFINITY;

/** Asks nothing before it is told to. */
export function createRefresher({ wire, records, schedule, session, state }: RefresherParts): Refresher {
  let flight: Promise<void> | undefined;

  const isIdle = () => state.get().status === "anonymous" && !schedule.arrival();

  async function ensure(after: number): Promise<void> {
    await flight;
    if (schedule.isWaiting() || (isIdle() && after !== now)) return;
    if (schedule.isLive(after) && session.isIdentified()) {
      // Another tab has done what a try of this one could not.
      if (after >= schedule.wanted()) schedule.recover();
      return;
    }
    flight ??= session
      .exclusive((locked) => fly(after, locked))
      .finally(() => {
        flight = undefined;
        schedule.arm();
      });
    await flight;
  }

  async function fly(after: number, locked: boolean): Promise<void> {
    try {
      await session.sync();
      if (!schedule.isLive(after)) await exchange(locked);
      await identify(locked);
      schedule.recover();
      state.setProblem();
    } catch (error) {
      const failure = error instanceof ClientError ? error : unexpected();
      schedule.postpone(after, failure.retryAfter);
      state.setProblem(toProblem(failure));
    }
  }

  /** Brings a new access token, or ends the session. */
  async function exchange(locked: boolean, isLastTry = false): Promise<void> {
    const before = schedule.arrival();
    const isOvertaken = () => schedule.arrival() !== before;
    const takeAttempt: TakeAttempt = async (mark) => {
      const attempt = await records.takeAttempt(mark, locked);
      await session.sync();
      // A second rotation so soon could overtake a request of a third tab with the token before.
      if (isOvertaken()) throw unexpected();
      return attempt;
    };
    try {
      await session.accept(() => wire.refresh(takeAttempt));
    } catch (error) {
      if (!isRefusal(error)) {
        if (isOvertaken()) return;
        throw error;
      }
      await session.sync();
      // Another tab was given a new token meanwhile: the refusal was perhaps of the old one.
      if (!isLastTry && schedule.arrival() && isOvertaken()) return exchange(locked, true);
      await session.end(toReason(error, session.isKnown()));
    }
  }

  /** Learns whose the access token is, where there is one. */
  async function identify(locked: boolean, isLastTry = false): Promise<void> {
    if (!schedule.arrival() || session.isIdentified()) return;
    try {
      const me = await wire.call("GET", "me/");
      const user = toUser(me);
      const id = toId(me["session"]);
      if (!user || !id) throw unexpected();
      await (session.hasEnded(id) ? session.end() : session.identify(user, id));
    } catch (error) {
      if (isLastTry || !isRefusal(error)) throw error;
      await exchange(locked);
      await identify(locked, true);
    }
  }

  return {
    start: () => ensure(never),
    ensure,
    async prepare() {
      await session.sync();
      if (isIdle()) return;
      const ensured = ensure(never);
      if (!schedule.isLive(never)) await ensured;
    },
    async check() {
      await session.sync();
      if (isIdle()) return;
      const wanted = schedule.wanted();
      await ensure(schedule.isDue() ? Math.max(wanted, schedule.now().mono) : wanted);
      schedule.arm();
    },
    refresh: () => flight ?? ensure(now),
  };
}

/** Why the session is over, from the server's refusal to refresh it. */
function toReason(error: ClientError, wasKnown: boolean): EndReason | undefined {
  if (error.code === "password_changed") return "password_changed";
  if (error.code === "not_authenticated") return wasKnown ? "expired" : undefined;
  return error.message === "Token is expired" ? "expired" : "revoked";
}

function toProblem({ code, status }: ClientError): Problem {
  if (code === "offline" || code === "timeout") return code;
  return status === 429 ? "throttled" : "unavailable";
}
