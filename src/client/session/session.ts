import type { Environment } from "../environment.ts";
import type { Grant, Transport } from "../transport/transport.ts";
import type { Records, SessionRecord } from "./records.ts";
import type { Schedule } from "./schedule.ts";
import type { LogoutReason, SessionStateHolder, User } from "./session-state.ts";
import { startStopwatch } from "./stopwatch.ts";
import { createTabs, type Tabs } from "./tabs.ts";

/** The dependencies of a session. */
export interface SessionParts {
  readonly env: Environment;
  readonly transport: Transport;
  readonly records: Records;
  readonly schedule: Schedule;
  readonly state: SessionStateHolder;
  /** The name of the channel and of the lock. All tabs use the same name. */
  readonly name: string;
}

/**
 * What this tab knows about the session. All changes go through these functions, which keep the state, the schedule, the
 * record and the other tabs consistent.
 */
export interface Session extends Pick<Tabs, "lock" | "open" | "close"> {
  /** Applies what other tabs have written to the record. */
  readonly sync: () => Promise<void>;
  /** Returns whether the state shows the user of the current access token. */
  readonly hasUser: () => boolean;
  /** Makes the user unknown, so that the client asks the server again. The state shows the previous user until then. */
  readonly forget: () => void;
  /**
   * Sends a request, stores the access token that it returns, and returns the response. If the request fails, nothing
   * changes. If another tab changed the session in the meantime, the user is unknown afterwards.
   */
  readonly accept: (request: () => Promise<Grant>) => Promise<Grant>;
  /** Sets the user of the current access token. If this tab has cleared that session, the response is out of date. */
  readonly setUser: (user: User, sessionId: string) => Promise<void>;
  /** Makes all tabs anonymous. */
  readonly clear: (reason?: LogoutReason | null) => Promise<void>;
  readonly dispose: () => void;
}

/** Creates a session that knows nothing yet. */
export function createSession({ env, transport, records, schedule, state, name }: SessionParts): Session {
  const tabs = createTabs(env, name, ({ record, user }) => apply(record, user));
  /** The current record, without tokens. */
  let current: SessionRecord | undefined;
  /** The id of the session that this tab cleared last, or an empty string. */
  let clearedId = "";
  /** The record that this tab read or wrote last, as JSON. */
  let lastRecord: string | undefined;

  const toId = () => current?.sessionId ?? state.get().sessionId;
  const hasUser = () => current?.sessionId !== undefined && current.sessionId === state.get().sessionId;

  function apply(record: SessionRecord, user?: User): void {
    const { sessionId, ended } = record;
    if (ended !== undefined) {
      if (sessionId === toId()) setAnonymous(ended);
    } else if (sessionId !== clearedId) {
      if (record.at !== current?.at || sessionId !== current.sessionId) setToken(withoutTokens(record));
      setAuthenticated(user, sessionId);
    }
  }

  async function sync(): Promise<void> {
    const record = await records.read();
    const text = JSON.stringify(record);
    if (!record || text === lastRecord) return;
    lastRecord = text;
    apply(record);
  }

  async function write(record: SessionRecord): Promise<void> {
    lastRecord = JSON.stringify(record);
    await records.write(record);
  }

  /** Sends the record to the other tabs, without the tokens, once the user is known. */
  function post(record: SessionRecord): void {
    if (record.ended !== undefined || hasUser()) tabs.post({ record: withoutTokens(record), user: state.get().user });
  }

  async function share(record: SessionRecord): Promise<void> {
    await write(record);
    post(record);
  }

  function setToken(record: SessionRecord): void {
    current = record;
    schedule.set(record);
    transport.reset?.();
    state.report();
  }

  function setAuthenticated(user: User | undefined, sessionId: string | undefined): void {
    if (user && sessionId) state.set({ status: "authenticated", user: Object.freeze(user), sessionId });
  }

  function setAnonymous(reason: LogoutReason | null): void {
    clearedId = toId() ?? clearedId;
    current = undefined;
    schedule.clear();
    transport.reset?.();
    if (state.get().status !== "anonymous") state.set({ status: "anonymous", ...(reason && { reason }) });
  }

  function forget(): void {
    if (current) current = { ...current, sessionId: undefined };
  }

  async function clear(reason: LogoutReason | null = null): Promise<void> {
    const wasKnown = current;
    setAnonymous(reason);
    if (wasKnown) await share({ at: env.wall(), lifetime: 0, sessionId: clearedId, ended: reason });
  }

  return {
    ...tabs,
    sync,
    hasUser,
    forget,
    async accept(request) {
      const secondsSinceSending = startStopwatch(env);
      const previousId = toId();
      const grant = await request();
      const full = grant.lifetime ?? current?.lifetime ?? 0;
      // The server issued the token some time before it was received.
      const lifetime = Math.max(full - secondsSinceSending(), full / 2);
      const record = {
        at: env.wall(),
        lifetime,
        refreshLifetime: grant.refreshLifetime,
        sessionId: grant.sessionId ?? current?.sessionId,
      };
      // Stored before the state shows it, so that no request is sent with the tokens of the previous session.
      await write({ ...record, ...grant.tokens });
      // Otherwise another tab's session became current meanwhile, and only the server knows which one won.
      const isCurrent = toId() === previousId;
      setToken(record);
      if (isCurrent) setAuthenticated(grant.user, record.sessionId);
      else forget();
      post(record);
      return grant;
    },
    async setUser(user, sessionId) {
      if (sessionId === clearedId) return clear();
      if (!current) return;
      current = { ...current, sessionId };
      setAuthenticated(user, sessionId);
      await share({ ...(await records.read()), ended: undefined, ...current });
    },
    clear,
    dispose() {
      tabs.close();
      schedule.dispose();
      state.close();
    },
  };
}

function withoutTokens({ access: _access, refresh: _refresh, ...record }: SessionRecord): SessionRecord {
  return record;
}
