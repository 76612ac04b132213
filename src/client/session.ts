import type { Environment } from "./environment.ts";
import type { Records, SessionRecord } from "./records.ts";
import type { Schedule } from "./schedule.ts";
import type { EndReason, SessionStateHolder, User } from "./session-state.ts";
import { createTabs, type Tabs } from "./tabs.ts";
import type { Grant, Wire } from "./wire.ts";

/** What this tab knows of the session works with these. */
export interface SessionParts {
  readonly env: Environment;
  readonly wire: Wire;
  readonly records: Records;
  readonly schedule: Schedule;
  readonly state: SessionStateHolder;
  /** What the tabs of this session meet under. */
  readonly name: string;
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
  /** Takes over the new access token that `ask` brings. @throws what `ask` throws; nothing changed. */
  readonly accept: (ask: () => Promise<Grant>) => Promise<void>;
  /** The server said whose session it is. */
  readonly identify: (user: User, sessionId: string) => Promise<void>;
  /** The session is over, in all tabs. */
  readonly end: (reason?: EndReason) => Promise<void>;
  readonly dispose: () => void;
}

/** Starts with nothing known. */
export function createSession({ env, wire, records, schedule, state, name }: SessionParts): Session {
  const tabs = createTabs(env, name, ({ record, user }) => apply(record, user));
  /** The current record, without tokens. */
  let current: SessionRecord | undefined;
  /** The last session that ended here; empty: none. */
  let endedId = "";
  /** The record as last seen or written here: without a shared storage, reading it back is no news. */
  let seen: string | undefined;

  const toId = () => current?.sessionId ?? state.get().sessionId;
  const isKnown = () => current !== undefined || toId() !== undefined;
  const isIdentified = () => current?.sessionId !== undefined && current.sessionId === state.get().sessionId;

  function apply(record: SessionRecord, user?: User): void {
    const { at, lifetime, sessionId, ended } = record;
    if (ended !== undefined) {
      if (sessionId === toId()) conclude(ended);
    } else if (sessionId !== endedId) {
      if (at !== current?.at || sessionId !== current.sessionId) adopt({ at, lifetime, sessionId });
      show(user, sessionId);
    }
  }

  async function sync(): Promise<void> {
    const record = await records.read();
    const text = JSON.stringify(record);
    if (!record || text === seen) return;
    seen = text;
    apply(record);
  }

  /** Stores the record and tells the other tabs, as soon as it is known whose it is, but not the tokens. */
  async function publish(record: SessionRecord): Promise<void> {
    seen = JSON.stringify(record);
    await records.write(record);
    const { access: _access, refresh: _refresh, ...news } = record;
    const { user } = state.get();
    if (news.ended !== undefined || isIdentified()) tabs.post({ record: news, ...(user && { user }) });
  }

  function adopt(record: SessionRecord): void {
    current = record;
    schedule.adopt(record.at, record.lifetime);
    schedule.arm();
    wire.forget();
    state.setProblem();
  }

  function show(user: User | undefined, sessionId: string | undefined): void {
    if (user && sessionId) state.set({ status: "authenticated", user: Object.freeze(user), sessionId });
  }

  function conclude(reason: EndReason | null): void {
    endedId = toId() ?? endedId;
    current = undefined;
    schedule.clear();
    wire.forget();
    if (state.get().status !== "anonymous") state.set({ status: "anonymous", ...(reason && { reason }) });
  }

  return {
    exclusive: tabs.exclusive,
    sync,
    isKnown,
    isIdentified,
    hasEnded: (sessionId) => sessionId === endedId,
    async accept(ask) {
      const asked = schedule.now();
      const grant = await ask();
      const full = grant.lifetime ?? current?.lifetime ?? 0;
      // The token was made some time before it arrived.
      const lifetime = Math.max(full - schedule.since(asked), full / 2);
      const record = { at: env.wallClock(), lifetime, sessionId: grant.sessionId ?? current?.sessionId };
      adopt(record);
      show(grant.user, record.sessionId);
      await publish({ ...record, ...grant.tokens });
    },
    async identify(user, sessionId) {
      if (!current) return;
      current = { ...current, sessionId };
      show(user, sessionId);
      await publish({ ...(await records.read()), ended: undefined, ...current });
    },
    async end(reason) {
      const known = isKnown();
      conclude(reason ?? null);
      await records.clearAttempt();
      if (known) await publish({ at: env.wallClock(), lifetime: 0, sessionId: endedId, ended: reason ?? null });
    },
    dispose() {
      tabs.close();
      schedule.dispose();
      state.close();
    },
  };
}
