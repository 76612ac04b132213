import type { Client } from "./client.ts";
import { type ClientError, isSessionChanged } from "./client-error.ts";
import type { Environment, PageEvent } from "./environment.ts";
import { createIdempotencyKey, type Records } from "./session/records.ts";
import { createRefresher } from "./session/refresher.ts";
import { createSchedule } from "./session/schedule.ts";
import { createSession } from "./session/session.ts";
import type { SessionStateHolder } from "./session/session-state.ts";
import { toOrigin } from "./transport/outgoing.ts";
import { createRequests } from "./transport/requests.ts";
import type { Endpoints, Transport } from "./transport/transport.ts";
import { createUserSessions } from "./user-sessions.ts";

/** The parts in which clients differ. */
export interface ClientParts<T extends Transport> {
  readonly env: Environment;
  readonly endpoints: Endpoints;
  /** The name of the record, the channel and the lock that the tabs share. Other versions of this client use it too. */
  readonly name: string;
  readonly records: Records;
  readonly state: SessionStateHolder;
  /** Seconds. */
  readonly timeout: number;
  /** `getShownId` returns the id of the session that the state shows. */
  readonly createTransport: (env: Environment, getShownId: () => string | undefined) => T;
}

/** The events after which timers may be late, and `pagehide`. */
const events: readonly PageEvent[] = ["visibilitychange", "resume", "pagehide", "pageshow", "online", "focus"];

/** Creates a client of its parts. It immediately asks the server whether a user is logged in. */
export function assembleClient<T extends Transport>(
  parts: ClientParts<T>,
): { readonly client: Client; readonly transport: T } {
  const { endpoints, state } = parts;
  const schedule = createSchedule(parts.env, () => void refresher.check());
  const env: Environment = {
    ...parts.env,
    async fetch(input, init) {
      const response = await parts.env.fetch(input, init);
      if (toOrigin(input) === endpoints.origin) schedule.serverAnswered(response.status);
      return response;
    },
  };
  const transport = parts.createTransport(env, () => state.get().sessionId);
  const shared = { ...parts, env, transport, schedule };
  const session = createSession(shared);
  const refresher = createRefresher({ ...shared, session });
  const requests = createRequests({ ...shared, refresher });
  /** The passwords of a change whose response was lost, and its idempotency key. */
  let lost: readonly [passwords?: string, key?: string | undefined] = [];
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
      session.forgetUser();
    }
    if (event === "online") schedule.skipBackoff();
    void refresher.check();
  });
  void refresher.start();

  /** Runs a call of the client's own, one at a time in all tabs, if the state still shows the same session. */
  const exclusively = <T>(requireSame: () => void, run: () => Promise<T>) =>
    session.exclusive(() => {
      requireSame();
      return run();
    });
  const renew: Transport["renew"] = (...request) => session.accept(() => transport.renew(...request));

  const client: Client = {
    async login(credentials) {
      await session.exclusive(() => session.accept(() => transport.login(credentials)));
      await refresher.start();
      return state.get();
    },
    async logout(scope = "local") {
      const revoke = (requireSame: () => void) =>
        exclusively(requireSame, async () => {
          await transport.logout(scope);
          if (scope !== "others") await session.clear("logged_out");
        });
      try {
        await (scope === "local" ? requests.once : requests.withRetry)(revoke);
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
      schedule.skipBackoff();
      await refresher.refresh();
      return state.get();
    },
    session: state.get,
    sessions: createUserSessions((...call) =>
      requests.withRetry((requireSame) => {
        requireSame();
        return transport.call(...call);
      }),
    ),
    async confirm(password) {
      await requests.withRetry((requireSame) => exclusively(requireSame, () => renew("confirm/", { password })));
    },
    async changePassword({ currentPassword: current_password, newPassword: new_password }) {
      const passwords = { current_password, new_password };
      const text = JSON.stringify(passwords);
      // The user may also repeat it, for example when there is a network again.
      const key = text === lost[0] ? lost[1] : createIdempotencyKey(env);
      lost = [text, key];
      await requests.withRetry((requireSame) => {
        const send = () => exclusively(requireSame, () => renew("password/", passwords, key));
        return send().catch((error: ClientError) => {
          if (key && /^(offline|timeout|unavailable)$/.test(error.code)) return send();
          throw error;
        });
      });
      lost = [];
    },
    countdown: schedule.countdown,
    onChange: state.onChange,
    dispose() {
      stopListening?.();
      session.dispose();
    },
  };
  return { client, transport };
}
