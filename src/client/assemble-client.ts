import type { Client } from "./client.ts";
import { type ClientError, isSessionChanged } from "./client-error.ts";
import type { Environment, PageEvent } from "./environment.ts";
import { type Internals, internals } from "./internals.ts";
import { createIdempotencyKey, type Records } from "./session/records.ts";
import { createRefresher, type Refresher } from "./session/refresher.ts";
import { createSchedule, isWorking } from "./session/schedule.ts";
import { createSession } from "./session/session.ts";
import type { SessionState, SessionStateHolder } from "./session/session-state.ts";
import type { CallOptions } from "./transport/json-call.ts";
import { toOrigin } from "./transport/outgoing.ts";
import { createRequests, type Requests } from "./transport/requests.ts";
import type { LoginInput, Transport, Urls } from "./transport/transport.ts";

/** The parts that differ between the clients. */
export interface ClientParts {
  readonly env: Environment;
  readonly urls: Urls;
  /**
   * The name of the record, the channel and the lock that the tabs share. Other versions of this client use the same name.
   */
  readonly name: string;
  readonly records: Records;
  readonly state: SessionStateHolder;
  /** How long a call to the server may take, in seconds. */
  readonly timeout: number;
}

/** The events after which timers may be late, and `pagehide`. */
const events: readonly PageEvent[] = ["visibilitychange", "resume", "pagehide", "pageshow", "online", "focus"];

/** A client whose entry point says which logins it accepts. */
interface AnyClient extends Client {
  readonly [internals]: Internals;
  login(input: LoginInput): Promise<SessionState>;
}

/** A client, and the parts that its entry point needs. */
export interface Assembled<T extends Transport> {
  readonly client: AnyClient;
  readonly transport: T;
  readonly refresher: Refresher;
  readonly requests: Requests;
}

/** Creates a client of its parts. It immediately asks the server whether a user is logged in. */
export function assembleClient<T extends Transport>(
  parts: ClientParts,
  createTransport: (env: Environment) => T,
): Assembled<T> {
  const { urls, state } = parts;
  const schedule = createSchedule(parts.env, () => void refresher.check());
  const env: Environment = {
    ...parts.env,
    async fetch(input, init) {
      const response = await parts.env.fetch(input, init);
      if (toOrigin(input) === urls.origin) schedule.answered(response.status);
      return response;
    },
  };
  const transport = createTransport(env);
  const shared = { ...parts, env, transport, schedule };
  const session = createSession(shared);
  const refresher = createRefresher({ ...shared, session });
  const requests = createRequests({ ...shared, refresher });
  /** What was sent when a response was lost. */
  let lostInput: string | undefined;
  /** The idempotency key of `lostInput`. */
  let lostKey: string | undefined;
  let isAway = false;
  const stopListening = env.page?.listen(events, (event) => {
    if (event === "pagehide") {
      isAway = true;
      // An open channel can keep a page out of the back/forward cache.
      session.close();
    }
    if (isAway) {
      // What begins while the page enters that cache may never end.
      if (event !== "pageshow") return;
      isAway = false;
      session.open();
      // Anything can have happened meanwhile.
      session.forget();
    }
    if (event === "online") schedule.skip();
    void refresher.check();
  });
  void refresher.ensure();

  /**
   * Runs a call that replaces tokens, if the state still shows the same session: one at a time in all tabs, and no refresh that
   * is late may overtake it.
   */
  const exclusively =
    <T>(run: (options: CallOptions) => Promise<T>) =>
    (requireSame?: () => void) =>
      session.lock(() => {
        requireSame?.();
        return run({ signal: refresher.stop() });
      });
  const replace = (path: string, body: object, key?: string) =>
    exclusively((options) => session.accept(() => transport.replace(path, body, { ...options, key })));

  /**
   * Sends `input` once more if the response was lost. The server counts it once, because the idempotency key is the same. It
   * also is if the user repeats it later, for example when there is a network again.
   */
  async function repeatLost(input: object, send: (key: string | undefined) => Promise<unknown>): Promise<void> {
    const text = JSON.stringify(input);
    if (text !== lostInput) lostKey = createIdempotencyKey(env);
    lostInput = text;
    const key = lostKey;
    await send(key).catch((error: ClientError) => {
      if (key && !isWorking(error.status)) return send(key);
      throw error;
    });
    lostInput = undefined;
  }

  const client: AnyClient = {
    async login(input) {
      const login = (key?: string) =>
        exclusively((options) => session.accept(() => transport.login(input, { ...options, key })))();
      await ("ticket" in input ? repeatLost(input, login) : login());
      await refresher.ensure();
      return state.get();
    },
    async logout(scope = "local") {
      const revoke = exclusively(async (options) => {
        await transport.logout(scope, options);
        if (scope !== "others") await session.clear("logged_out");
      });
      try {
        await (scope === "local" ? requests.once : requests.run)(revoke);
      } catch (error) {
        // The session was over already.
        if (!isSessionChanged(error) || state.get().user) throw error;
      }
      return { revoked: true };
    },
    fetch: requests.fetch,
    ready: requests.ready,
    ensure: requests.ensure,
    async reload() {
      await refresher.identify();
      return state.get();
    },
    async refresh() {
      schedule.skip();
      await refresher.refresh();
      return state.get();
    },
    session: state.get,
    confirm: (password) => requests.confirm(replace("confirm/", { password })),
    async changePassword({ currentPassword: current_password, newPassword: new_password }) {
      const passwords = { current_password, new_password };
      await requests.run((requireSame) =>
        repeatLost(passwords, (key) => replace("password/", passwords, key)(requireSame)),
      );
    },
    countdown: schedule.countdown,
    onChange: state.onChange,
    [internals]: {
      call: (...call) =>
        requests.run((requireSame) => {
          requireSame();
          return transport.call(...call);
        }),
      env: parts.env,
    },
    dispose() {
      stopListening?.();
      session.dispose();
    },
  };
  return { client, transport, refresher, requests };
}
