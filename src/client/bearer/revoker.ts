import { type ClientError, isUnauthorized } from "../client-error.ts";
import type { Environment } from "../environment.ts";
import type { JsonCall } from "../transport/json-call.ts";
import type { TokenRecords } from "./token-records.ts";

/** Revokes the sessions that the user has logged out of, also if the server can't be reached at the time. */
export interface Revoker {
  /** Tries to revoke them now, and again later if that fails. Returns whether the server has revoked all. */
  readonly flush: () => Promise<boolean>;
  readonly dispose: () => void;
}

/** Creates a revoker, which begins with what an earlier run of the app has left. `call` sends below the token path. */
export function createRevoker(env: Environment, { readForgotten, drop }: TokenRecords, call: JsonCall): Revoker {
  let timer: number | undefined;
  /** Seconds until the next attempt, unless the server says how long to wait. 0 for none. */
  let delay = 30;

  async function flush(): Promise<boolean> {
    let isRevoked = true;
    env.clearTimeout(timer);
    try {
      for (const refresh of await readForgotten()) {
        await call("POST", "blacklist/", { refresh }).catch((error: ClientError) => {
          // 401: already revoked or expired. 404: a server without this endpoint can't revoke the session.
          if (isUnauthorized(error)) return;
          isRevoked = false;
          if (![400, 404, 405].includes((error as ClientError).status)) throw error;
        });
        await drop(refresh);
      }
    } catch (error) {
      if (delay) timer = env.setTimeout(flush, ((error as ClientError).retryAfter ?? delay) * 1000);
    }
    return isRevoked;
  }

  void flush();
  return {
    flush,
    dispose() {
      delay = 0;
      env.clearTimeout(timer);
    },
  };
}
