import type { Client } from "./client.ts";
import { isSessionChanged } from "./client-error.ts";
import type { Environment, PageEvent } from "./environment.ts";
import type { Records } from "./session/records.ts";
import { createRefresher } from "./session/refresher.ts";
import { createSchedule } from "./session/schedule.ts";
import { createSession } from "./session/session.ts";
import type { SessionStateHolder } from "./session/session-state.ts";
import { toOrigin } from "./transport/outgoing.ts";
import { createRequests } from "./transport/requests.ts";
import type { Endpoints, Transport } from "./transport/transport.ts";
import { createUserSessions } from "./user-sessions.ts";

/** The parts in which clients differ. */
export interface ClientParts {
  readonly env: Environment;
  readonly endpoints: Endpoints;
  /** The name of the record, the channel and the lock that the tabs share. Other versions of this client use it too. */
  readonly name: string;
  readonly records: Records;
  readonly state: SessionStateHolder;
  /** Seconds. */
  readonly timeout: number;
  /** `getShownId` returns the id of the session that the state shows. */
  readonly createTransport: (env: Environment, getShownId: () => string | undefined) => Transport;
}

/** The events after which timers may be late, and `pagehide`. */
const events: readonly PageEvent[] = ["visibilitychange", "resume", "pagehide", "pageshow", "online", "focus"];

/** Creates a client of its parts. It immediately asks the server whether a user is logged in. */
export function assembleClient(parts: ClientParts): Client {
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
  let isAway = false;
  const stopListening = env.page?.listen(events, (event) => {
    // What begins while the page enters the back/forward cache may never end. When it comes back, the user may be another.
    if (event === "pagehide") isAway = true;
    if (isAway) {
      if (event !== "pageshow") return;
      isAway = false;
      session.forgetUser();
    }
    if (event === "online") schedule.skipBackoff();
    void refresher.check();
  });
  void refresher.start();

  return {
    async login(credentials) {
      await session.exclusive(() => session.accept(() => transport.login(credentials)));
      await refresher.start();
      return state.get();
    },
    async logout(scope = "local") {
      const revoke = (requireSame: () => void) =>
        session.exclusive(async () => {
          requireSame();
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
    changePassword: ({ currentPassword, newPassword }) =>
      requests.withRetry((requireSame) =>
        session.exclusive(async () => {
          requireSame();
          await session.accept(() => transport.changePassword(currentPassword, newPassword));
        }),
      ),
    countdown: schedule.countdown,
    onChange: state.onChange,
    dispose() {
      stopListening?.();
      session.dispose();
    },
  };
}
