import { ClientError, isUnauthorized } from "../client-error.ts";
import type { Environment } from "../environment.ts";
import type { Refresher } from "../session/refresher.ts";
import type { Schedule } from "../session/schedule.ts";
import type { SessionStateHolder } from "../session/session-state.ts";
import { requireReplayable } from "./json-call.ts";
import type { Transport } from "./transport.ts";

/** The parts that authenticated requests work with. */
export interface RequestParts {
  readonly env: Environment;
  readonly transport: Transport;
  readonly schedule: Schedule;
  readonly refresher: Refresher;
  readonly state: SessionStateHolder;
  /** The URL that relative URLs are resolved against. */
  readonly base: string;
}

/** Authenticated requests. If the access token was refused, they are sent a second time after a refresh. */
export interface Requests {
  /** See `Client.fetch`. */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** Runs a call of the client's own. */
  readonly withRetry: <T>(run: () => Promise<T>) => Promise<T>;
}

/** Creates the functions. */
export function createRequests({ env, transport, schedule, refresher, state, base }: RequestParts): Requests {
  /** Prepares a request. Returns the function to call after a 401, which returns whether to send the request again. */
  async function prepare(): Promise<() => Promise<boolean>> {
    await refresher.prepare();
    const sentAt = schedule.now().monotonic;
    return async () => {
      if (state.get().status === "anonymous") return false;
      await refresher.ensure(sentAt);
      const { status, problem } = state.get();
      if (problem) throw new ClientError(problem, "Could not refresh the session. Try again later.");
      return status === "authenticated";
    };
  }

  return {
    async fetch(input, init) {
      const request = typeof input === "object" && "url" in input ? input : undefined;
      const url = new URL(request?.url ?? String(input), base);
      const target = request ?? url.href;
      if (!transport.origins.includes(url.origin)) return env.fetch(target, init);

      const refreshAfter401 = await prepare();
      const response = await transport.send(target, init);
      if (response.status !== 401 || !(await refreshAfter401())) return response;
      requireReplayable(init);
      return transport.send(target, init);
    },
    async withRetry(run) {
      const refreshAfter401 = await prepare();
      try {
        return await run();
      } catch (error) {
        if (!isUnauthorized(error) || !(await refreshAfter401())) throw error;
        return run();
      }
    },
  };
}
