import { type ClientError, isUnauthorized } from "../client-error.ts";
import type { Environment } from "../environment.ts";
import type { JsonCall } from "../transport/json-call.ts";
import type { TokenRecords } from "./token-records.ts";

/** Revokes the sessions that the user has logged out of, even if the server couldn't be reached at the time. */
export interface Revoker {
  /**
   * Tries to revoke the sessions now. If that fails, tries again later. Returns whether the server has revoked all of them.
   */
  readonly flush: () => Promise<boolean>;
  readonly dispose: () => void;
}

/**
 * Creates a revoker. It begins with the sessions that an earlier run of the app has left. `call` sends requests below the
 * token path.
 */
export function createRevoker(env: Environment, { readForgotten, drop }: TokenRecords, call: JsonCall): Revoker {
  let timer: number | undefined;
  /**
   * The number of seconds until the next attempt, unless the server says how long to wait. 0 means that no further attempt
   * is made.
   */
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
