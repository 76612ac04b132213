import { ClientError, isRefusal } from "./client-error.ts";
import type { Environment } from "./environment.ts";
import type { Refresher } from "./refresher.ts";
import type { Schedule } from "./schedule.ts";
import type { SessionStateHolder } from "./session-state.ts";
import { requireReplayable } from "./transport.ts";
import type { Wire } from "./wire.ts";

/** What requests in the user's name need. */
export interface RequestParts {
  readonly env: Environment;
  readonly wire: Wire;
  readonly schedule: Schedule;
  readonly refresher: Refresher;
  readonly state: SessionStateHolder;
  /** What relative URLs are resolved against. */
  readonly base: string;
}

/** Requests in the user's name, sent a second time where only the access token was in the way. */
export interface Requests {
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** Runs one of the client's own calls. */
  readonly retried: <T>(run: () => Promise<T>) => Promise<T>;
}

/** See `Client.fetch` for what the requests throw. */
export function createRequests({ env, wire, schedule, refresher, state, base }: RequestParts): Requests {
  /** Makes ready for a request; what it returns tells after a 401 whether it is worth sending again. */
  async function prepare(): Promise<() => Promise<boolean>> {
    await refresher.prepare();
    const sentAt = schedule.now().mono;
    return async () => {
      if (state.get().status === "anonymous") return false;
      await refresher.ensure(sentAt);
      const { status, problem } = state.get();
      if (problem) throw new ClientError(problem, "The session could not be refreshed for now.");
      return status === "authenticated";
    };
  }

  return {
    async fetch(input, init) {
      const request = typeof input === "object" && "url" in input ? input : undefined;
      const url = new URL(request?.url ?? String(input), base);
      const target = request ?? url.href;
      if (!wire.origins.includes(url.origin)) return env.fetch(target, init);

      const recover = await prepare();
      const response = await wire.send(target, init);
      if (response.status !== 401 || !(await recover())) return response;
      requireReplayable(init);
      return wire.send(target, init);
    },
    async retried(run) {
      const recover = await prepare();
      try {
        return await run();
      } catch (error) {
        if (!isRefusal(error) || !(await recover())) throw error;
        return run();
      }
    },
  };
}
