import type { Environment } from "./environment.ts";
import type { Records, SessionRecord } from "./records.ts";
import type { Moment, Schedule } from "./schedule.ts";
import { type EndReason, type SessionStateHolder, toAuthenticated, type User, withProblem } from "./session-state.ts";
import type { TabMessage, Tabs } from "./tabs.ts";
import type { Grant, Wire } from "./wire.ts";

/** What this tab knows of the session works with these. */
export interface SessionParts {
  readonly env: Environment;
  readonly wire: Wire;
  readonly records: Records;
  readonly schedule: Schedule;
  readonly state: SessionStateHolder;
  /** Makes the connection to the other tabs, which report to `onMessage`. */
  readonly connect: (onMessage: (message: TabMessage) => void) => Tabs;
}

/** The session as this tab knows it, and the one place where that changes: state, schedule, record and tabs together. */
export interface Session {
  readonly exclusive: Tabs["exclusive"];
  /** Takes over what the record says that other tabs have done. */
  readonly sync: () => Promise<void>;
  /** Whether there was a session, dead or alive, that nobody has ended yet. */
  readonly isKnown: () => boolean;
  /** Whether the state names the session that the current access token belongs to. */
  readonly isIdentified: () => boolean;
  /** Whether this session has ended here; late news of it is old news. */
  readonly hasEnded: (sessionId: string) => boolean;
  /** A new access token arrived, asked for at `asked`; `undefined`: one that lives as long as the last. */
  readonly accept: (grant: Grant | undefined, asked: Moment) => Promise<void>;
  /** The server said whose session it is. */
  readonly identify: (user: User, sessionId: string) => Promise<void>;
  /** The session is over, in all tabs. */
  readonly end: (reason: EndReason | undefined) => Promise<void>;
  readonly dispose: () => void;
}

/** Starts with nothing known. */
export function createSession({ env, wire, records, schedule, state, connect }: SessionParts): Session {
  const tabs = connect(({ record, user }) => apply(record, user));
  /** The current record, without tokens. */
  let current: SessionRecord | undefined;
  let endedId: string | undefined;
  /** The record as last seen or written here: without a shared storage, reading it back is no news. */
  let seen: string | undefined;
  let disposed = false;

  const toId = () => current?.sessionId ?? state.get().sessionId;

  function apply(record: SessionRecord | undefined, user?: User): void {
    if (!record || disposed) return;
    const { at, lifetime, sessionId, ended } = record;
    if (ended !== undefined) {
      if (sessionId !== undefined && sessionId === toId()) conclude(ended);
    } else if (sessionId === undefined || sessionId !== endedId) {
      if (at !== current?.at || sessionId !== current.sessionId) adopt({ at, lifetime, sessionId });
      if (user && sessionId !== undefined) state.set(toAuthenticated(user, sessionId));
    }
  }

  async function sync(): Promise<void> {
    const record = await records.read();
    const text = JSON.stringify(record);
    if (text === seen) return;
    seen = text;
    apply(record);
  }

  function store(record: SessionRecord): Promise<void> {
    seen = JSON.stringify(record);
    return records.write(record);
  }

  function adopt(record: SessionRecord): void {
    current = record;
    schedule.adopt(record.at, record.lifetime);
    schedule.arm();
    wire.forget();
    state.set(withProblem(state.get()));
  }

  function announce(): void {
    const { user, sessionId } = state.get();
    if (user && current && current.sessionId === sessionId) tabs.post({ record: current, user });
  }

  function conclude(reason: EndReason | null): void {
    endedId = toId() ?? endedId;
    current = undefined;
    schedule.clear();
    wire.forget();
    if (state.get().status !== "anonymous") state.set({ status: "anonymous", ...(reason && { reason }) });
  }

  const isKnown = () => current !== undefined || toId() !== undefined;

  return {
    exclusive: tabs.exclusive,
    sync,
    isKnown,
    isIdentified: () => current?.sessionId !== undefined && current.sessionId === state.get().sessionId,
    hasEnded: (sessionId) => sessionId === endedId,
    async accept(grant, asked) {
      const full = grant?.lifetime ?? current?.lifetime ?? 0;
      // The token was made some time before it arrived.
      const lifetime = Math.max(full - schedule.since(asked), full / 2);
      const record = { at: env.wallClock(), lifetime, sessionId: grant?.sessionId ?? current?.sessionId };
      adopt(record);
      if (grant?.user && record.sessionId !== undefined) state.set(toAuthenticated(grant.user, record.sessionId));
      await store({ ...record, ...grant?.tokens });
      announce();
    },
    async identify(user, sessionId) {
      if (!current || disposed) return;
      current = { ...current, sessionId };
      state.set(toAuthenticated(user, sessionId));
      const { ended: _, ...stored } = (await records.read()) ?? current;
      await store({ ...stored, ...current });
      announce();
    },
    async end(reason) {
      const known = isKnown();
      conclude(reason ?? null);
      await records.clearAttempt();
      if (!known) return;
      const record: SessionRecord = { at: env.wallClock(), lifetime: 0, sessionId: endedId, ended: reason ?? null };
      await store(record);
      tabs.post({ record });
    },
    dispose() {
      disposed = true;
      tabs.close();
      schedule.dispose();
      state.close();
    },
  };
}
