import { ClientError, isSessionChanged, isUnauthorized, sessionChanged } from "../client-error.ts";
import type { Environment } from "../environment.ts";
import type { Refresher } from "../session/refresher.ts";
import { anyToken, type Schedule } from "../session/schedule.ts";
import type { SessionState, SessionStateHolder } from "../session/session-state.ts";
import { readCode } from "./json-call.ts";
import { isUnsafe, requireReplayable, untilAborted } from "./outgoing.ts";
import type { Endpoints, Transport } from "./transport.ts";

/** The parts that authenticated requests work with. */
export interface RequestParts {
  readonly env: Environment;
  readonly transport: Transport;
  readonly schedule: Schedule;
  readonly refresher: Refresher;
  readonly state: SessionStateHolder;
  readonly endpoints: Endpoints;
}

/**
 * Requires that the state still shows the session that it showed when the user started the request.
 *
 * @throws ClientError `session_changed`.
 */
type RequireSameSession = () => void;

/** Authenticated requests. If the access token was refused, they are sent a second time after a refresh. */
export interface Requests {
  /** See `Client.fetch`. */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** See `Client.ready`. */
  readonly ready: () => Promise<SessionState>;
  /** See `Client.ensure`. */
  readonly ensure: () => Promise<SessionState>;
  /** Runs a call of the client's own, which calls its argument before it sends an unsafe request. */
  readonly withRetry: <T>(run: (requireSame: RequireSameSession) => Promise<T>) => Promise<T>;
  /** Runs a call of the client's own once. */
  readonly once: <T>(run: (requireSame: RequireSameSession) => Promise<T>) => Promise<T>;
}

/** Creates the functions. */
export function createRequests({ env, transport, schedule, refresher, state, endpoints }: RequestParts): Requests {
  /** Runs `send` for the session that the state shows now. If it has changed, the state shows the new one afterwards. */
  async function once<T>(send: (requireSame: RequireSameSession) => Promise<T>): Promise<T> {
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

  /** Prepares a request. Returns the time on the monotonic clock. */
  async function prepare(): Promise<number> {
    await refresher.prepare();
    return schedule.now().monotonic;
  }

  /** Refreshes after a 401 to a request that was sent at `sentAt`. Returns whether to send the request again. */
  async function refreshAfter401(sentAt: number): Promise<boolean> {
    if (state.get().status === "anonymous") return false;
    await refresher.ensure(sentAt);
    return requireNoProblem().status === "authenticated";
  }

  function requireNoProblem(): SessionState {
    const { problem } = state.get();
    if (!problem) return state.get();
    const cause = schedule.getError();
    throw new ClientError(problem, "Could not refresh the session. Try again.", { ...cause, cause });
  }

  /** Prepares a request if necessary. `isDone` may not come true only because of a problem, or because nobody is logged in. */
  async function until(isDone: () => boolean): Promise<SessionState> {
    if (!isDone()) await prepare();
    return isDone() ? state.get() : requireNoProblem();
  }

  return {
    once,
    ready: () => until(() => state.get().status !== "loading"),
    ensure: () => until(() => schedule.isLive(anyToken)),
    async fetch(input, init) {
      const request = (input as Request).url ? (input as Request) : undefined;
      const url = new URL(request?.url ?? String(input), endpoints.base);
      const target = request ?? url.href;
      if (!transport.origins.includes(url.origin)) return env.fetch(target, init);

      const sent = once(async (requireSame) => {
        const sentAt = await prepare();
        const send = () => {
          if (isUnsafe(target, init)) requireSame();
          return transport.send(target, init);
        };
        const response = await send();
        if (!(await isRefusal(response)) || !(await refreshAfter401(sentAt))) return response;
        requireReplayable(init);
        return send();
      });
      return untilAborted(sent, init?.signal ?? request?.signal);
    },
    withRetry: (run) =>
      once(async (requireSame) => {
        const sentAt = await prepare();
        try {
          return await run(requireSame);
        } catch (error) {
          if (!isUnauthorized(error) || !(await refreshAfter401(sentAt))) throw error;
          return run(requireSame);
        }
      }),
  };
}

/** The codes with which tokenpair refuses an access token. */
const refusalCodes: readonly unknown[] = ["not_authenticated", "token_not_valid", "user_not_found", "user_inactive"];

/** Returns whether tokenpair refused the access token. An application's own 401 says nothing about it. */
async function isRefusal(response: Response): Promise<boolean> {
  if (response.status !== 401) return false;
  const challenge = response.headers.get("WWW-Authenticate") ?? "";
  // RFC 9470: the token is good, but the user must confirm the password.
  if (challenge.includes("insufficient_user")) return false;
  return /\bBearer\b/i.test(challenge) || refusalCodes.includes(await readCode(response));
}
