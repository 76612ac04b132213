import { createBearerWire } from "./bearer.ts";
import { createCookieWire } from "./cookie.ts";
import { type Environment, type KeyValueStorage, listenTo, type Page, type PageEvent } from "./environment.ts";
import { createIdleClient } from "./idle-client.ts";
import { createRecords } from "./records.ts";
import { createRefresher } from "./refresher.ts";
import { createRequests } from "./requests.ts";
import { type Countdown, createSchedule } from "./schedule.ts";
import { createSession } from "./session.ts";
import { createSessionState, type SessionState } from "./session-state.ts";
import { createUserSessions, type UserSessions } from "./user-sessions.ts";
import type { Credentials, Endpoints, LogoutScope } from "./wire.ts";

/** The client's settings, all optional on a page that the server itself serves. */
export interface ClientOptions {
  /** Where the server is. Default: the page's origin; required where there is no page. */
  readonly baseUrl?: string;
  /** Default: "/api/auth". */
  readonly authPath?: string;
  /** Default: "/api/token". Bearer mode only. */
  readonly tokenPath?: string;
  /** Where the tokens are: in cookies that no script can read, or in `storage`. Default: "cookie". */
  readonly mode?: "cookie" | "bearer";
  /** Where bearer mode keeps its tokens: the device's keychain, if it has one. Required there. */
  readonly storage?: KeyValueStorage;
  /** Default: the global one. */
  readonly fetch?: (input: string | Request, init?: RequestInit) => Promise<Response>;
  /** Seconds after which a call of the client's own is given up. Default: 10. */
  readonly timeout?: number;
  /** The CSRF cookie's name. Default: "__Host-csrftoken", else "csrftoken". */
  readonly csrfCookie?: string;
}

/** A session in a browser or app. Its functions may be taken off it and passed on. */
export interface Client {
  /** @throws ClientError `no_active_account`, `throttled`, `invalid`, or a temporary failure. */
  login(credentials: Credentials): Promise<SessionState>;
  /** Ends sessions; done only when the server has said so. @throws ClientError on a temporary failure; nothing ended. */
  logout(scope?: LogoutScope): Promise<void>;
  /**
   * `fetch` in the name of the user. To the server and to the page's own origin it adds what authenticates; elsewhere
   * it is plain `fetch`. A relative URL is one of `baseUrl`'s. After a 401 it refreshes and sends once more; a 401 that
   * it returns is the server's last word.
   *
   * @throws ClientError `body_not_replayable` where a stream would have to be sent again; `offline`, `timeout`,
   * `throttled` or `unavailable` where a needed refresh failed for now; and whatever `fetch` throws.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Refreshes now. Never rejects: a failure stands in the state. */
  refresh(): Promise<SessionState>;
  /** The current state; the same object until it changes. */
  session(): SessionState;
  /** The user's sessions, on all devices. */
  readonly sessions: UserSessions;
  /** Ends all other sessions. @throws ClientError `invalid` with `fields`. */
  changePassword(passwords: { readonly currentPassword: string; readonly newPassword: string }): Promise<void>;
  /** For a page that shows when the token expires and when it will be refreshed. */
  countdown(): Countdown | undefined;
  /** Calls `listener` after every change, and returns the way to stop. */
  onChange(listener: (state: SessionState) => void): () => void;
  /** Stops timers and listeners and closes the channel; the session itself goes on. */
  dispose(): void;
}

/**
 * A client in the given surroundings. It begins to ask at once; where cookies would need a page and there is none, as in
 * server rendering, it stays `loading` and asks nothing.
 *
 * @throws TypeError for bearer mode without a storage, and where there is neither a page nor a `baseUrl`.
 */
export function createClientIn(env: Environment, options: ClientOptions): Client {
  const { page } = env;
  const { mode = "cookie", timeout = 10, csrfCookie, storage } = options;
  if (mode === "cookie" && !page) return createIdleClient();
  if (mode === "bearer" && !storage) throw new TypeError('mode "bearer" needs a storage');

  const { base, ...endpoints } = toEndpoints(options, page);
  const name = `tokenpair ${mode} ${endpoints.auth}`;
  const state = createSessionState();
  const records = createRecords(env, mode === "cookie" ? env.storage : storage, name);
  const wire =
    mode === "cookie" && page
      ? createCookieWire({ env, page, endpoints, timeout, csrfCookies: csrfCookie ? [csrfCookie] : csrfCookieNames })
      : createBearerWire({ env, records, endpoints, timeout });
  const schedule = createSchedule(env, () => void refresher.check());
  const session = createSession({ env, wire, records, schedule, state, name });
  const refresher = createRefresher({ wire, records, schedule, session, state });
  const requests = createRequests({ env, wire, schedule, refresher, state, base });
  const stopWaking = listenTo(page, wakeEvents, (event) => {
    if (event === "online") schedule.hurry();
    void refresher.check();
  });
  void refresher.start();

  return {
    async login(credentials) {
      await session.exclusive(() => session.accept(() => wire.login(credentials)));
      await refresher.start();
      return state.get();
    },
    async logout(scope = "local") {
      const end = () =>
        session.exclusive(async () => {
          await wire.logout(scope);
          if (scope !== "others") await session.end("logged_out");
        });
      await (scope === "local" ? end() : requests.retried(end));
    },
    fetch: requests.fetch,
    async refresh() {
      schedule.hurry();
      await refresher.refresh();
      return state.get();
    },
    session: state.get,
    sessions: createUserSessions((...call) => requests.retried(() => wire.call(...call))),
    changePassword: ({ currentPassword, newPassword }) =>
      requests.retried(() =>
        session.exclusive(() => session.accept(() => wire.changePassword(currentPassword, newPassword))),
      ),
    countdown: schedule.countdown,
    onChange: state.onChange,
    dispose() {
      stopWaking();
      session.dispose();
    },
  };
}

/** Timers may have been late before any of these. */
const wakeEvents: readonly PageEvent[] = ["visibilitychange", "resume", "pageshow", "online", "focus"];
const csrfCookieNames = ["__Host-csrftoken", "csrftoken"];

/** `base` is what relative URLs of the application are resolved against. */
function toEndpoints(options: ClientOptions, page: Page | undefined): Endpoints & { readonly base: string } {
  const { baseUrl, authPath = "/api/auth", tokenPath = "/api/token" } = options;
  const root = new URL(baseUrl ?? "/", page?.href);
  const prefix = root.href.replace(/\/$/, "");
  return {
    origin: root.origin,
    auth: prefix + authPath,
    token: prefix + tokenPath,
    base: baseUrl === undefined && page ? page.base : `${prefix}/`,
  };
}
