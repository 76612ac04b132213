import type { Client } from "./client.ts";
import { type Environment, listenTo, type PageEvent } from "./environment.ts";
import type { Records } from "./session/records.ts";
import { createRefresher } from "./session/refresher.ts";
import { createSchedule } from "./session/schedule.ts";
import { createSession } from "./session/session.ts";
import { createSessionState } from "./session/session-state.ts";
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
  readonly transport: Transport;
}

/** The events after which timers may be late. */
const wakeEvents: readonly PageEvent[] = ["visibilitychange", "resume", "pageshow", "online", "focus"];

/** Creates a client of its parts. It immediately asks the server whether a user is logged in. */
export function assembleClient({ env, endpoints, name, records, transport }: ClientParts): Client {
  const state = createSessionState();
  const schedule = createSchedule(env, () => void refresher.check());
  const session = createSession({ env, transport, records, schedule, state, name });
  const refresher = createRefresher({ transport, records, schedule, session, state });
  const requests = createRequests({ env, transport, schedule, refresher, state, base: endpoints.base });
  const stopListening = listenTo(env.page, wakeEvents, (event) => {
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
      const revoke = () =>
        session.exclusive(async () => {
          await transport.logout(scope);
          if (scope !== "others") await session.clear("logged_out");
        });
      await (scope === "local" ? revoke() : requests.withRetry(revoke));
    },
    fetch: requests.fetch,
    async refresh() {
      schedule.skipBackoff();
      await refresher.refresh();
      return state.get();
    },
    session: state.get,
    sessions: createUserSessions((...call) => requests.withRetry(() => transport.call(...call))),
    changePassword: ({ currentPassword, newPassword }) =>
      requests.withRetry(() =>
        session.exclusive(() => session.accept(() => transport.changePassword(currentPassword, newPassword))),
      ),
    countdown: schedule.countdown,
    onChange: state.onChange,
    dispose() {
      stopListening();
      session.dispose();
    },
  };
}
