import { ClientError, isSessionChanged, isUnauthorized, sessionChanged } from "../client-error.ts";
import type { Environment } from "../environment.ts";
import type { Refresher } from "../session/refresher.ts";
import { anyToken, type Schedule } from "../session/schedule.ts";
import type { SessionState, SessionStateHolder } from "../session/session-state.ts";
import { readCode } from "./json-call.ts";
import { isUnsafe, requireReplayable, untilAborted } from "./outgoing.ts";
import type { Transport, Urls } from "./transport.ts";

/** The dependencies of authenticated requests. */
export interface RequestParts {
  readonly env: Environment;
  readonly transport: Transport;
  readonly schedule: Schedule;
  readonly refresher: Refresher;
  readonly state: SessionStateHolder;
  readonly urls: Urls;
}

/**
 * Throws if the state no longer shows the session that it showed when the request was started.
 *
 * @throws ClientError `session_changed`.
 */
type RequireSameSession = () => void;

/** Sends something. It calls its first argument before it sends an unsafe request. */
export type Attempt<T> = (requireSame: RequireSameSession, isRetry?: boolean) => Promise<T>;

/** Sends authenticated requests. If the access token is refused, they are sent a second time after a refresh. */
export interface Requests {
  /** Sends a request as the logged-in user. See `Client.fetch`. */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** See `Client.ready`. */
  readonly ready: () => Promise<SessionState>;
  /** See `Client.ensure`. */
  readonly ensure: () => Promise<SessionState>;
  /** Runs one of the client's own calls, and runs it again after a refresh if its access token is refused. */
  readonly run: <T>(send: Attempt<T>) => Promise<T>;
  /** Runs one of the client's own calls once, without a refresh. */
  readonly once: <T>(send: Attempt<T>) => Promise<T>;
  /** Runs a call that confirms the password. */
  readonly confirm: (send: Attempt<unknown>) => Promise<void>;
}

/** Creates the functions that send authenticated requests. */
export function createRequests({ env, transport, schedule, refresher, state, urls }: RequestParts): Requests {
  /** Whether the user has confirmed the password in this tab since the last refusal that led to a refresh. */
  let hasConfirmed = false;

  /**
   * Runs `send` for the session that the state currently shows. If the session has changed, the state shows the new one
   * afterwards.
   */
  async function once<T>(send: Attempt<T>): Promise<T> {
    let shown = state.get();
    const isSame = () => {
      if (shown.status === "loading") shown = state.get();
      return state.get().sessionId === shown.sessionId;
    };
    try {
      return await send(() => {
        if (!isSame()) throw sessionChanged();
      });
    } catch (error) {
      if (isSessionChanged(error) && isSame()) await refresher.identify();
      throw error;
    }
  }

  /** Does the same with a refresh before if necessary, and a second time after a refresh if the first one was refused. */
  const run: Requests["run"] = (send) =>
    once(async (requireSame) => {
      await refresher.ensure();
      const sentAt = env.monotonic();
      const sent = send(requireSame);
      const refusal = await (sent as Promise<Response | undefined>).then(
        findRefusal,
        (error) => isUnauthorized(error) && error.code,
      );
      // A token that is older than the confirmation comes from another tab's refresh, whose response was late.
      if (!refusal || (refusal === "confirmation_required" && !hasConfirmed)) return sent;
      if (state.get().status === "anonymous") return sent;
      hasConfirmed = false;
      await refresher.ensure(sentAt);
      return requireState(schedule.isLive(sentAt)).user ? send(requireSame, true) : sent;
    });

  /** Returns the state. @throws ClientError The problem, unless it doesn't matter. */
  function requireState(isGood = false): SessionState {
    const { problem } = state.get();
    if (isGood || !problem) return state.get();
    const cause = schedule.error();
    throw new ClientError(problem, "Could not refresh the session.", { ...cause, cause });
  }

  return {
    once,
    run,
    async confirm(send) {
      await run(send);
      hasConfirmed = true;
    },
    async ready() {
      if (state.get().status === "loading") await refresher.ensure();
      return requireState(state.get().status !== "loading");
    },
    async ensure() {
      await refresher.check();
      return requireState(schedule.isLive(anyToken));
    },
    async fetch(input, init) {
      const request = (input as Request).url ? (input as Request) : undefined;
      const url = new URL(request?.url ?? String(input), urls.base);
      const target = request ?? url.href;
      if (!transport.origins.includes(url.origin)) return env.fetch(target, init);

      const sent = run(async (requireSame, isRetry) => {
        if (isRetry) requireReplayable(init);
        if (isUnsafe(target, init)) requireSame();
        return transport.send(target, init);
      });
      return untilAborted(sent, init?.signal ?? request?.signal);
    },
  };
}

/** The codes with which most access tokens are refused, for pages of other origins that can't read the challenge. */
const refusalCodes: readonly unknown[] = ["not_authenticated", "token_not_valid"];

/**
 * Returns the code of a response with which tokenpair refused the access token, or a false value. An application's own 401 says
 * nothing about the token. The calls of the client have other results: they reject unless the response is a 2xx.
 */
async function findRefusal(response: Response | undefined): Promise<unknown> {
  if (response?.status !== 401) return undefined;
  const code = await readCode(response);
  const isChallenge = /\bBearer\b/i.test(String(response.headers.get("WWW-Authenticate")));
  return (isChallenge || refusalCodes.includes(code)) && (code ?? true);
}
