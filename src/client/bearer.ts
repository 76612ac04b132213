import { ClientError, isRefusal } from "./client-error.ts";
import type { Environment } from "./environment.ts";
import type { Records } from "./records.ts";
import { type Answer, createCall, parseAnswer, toRequest, unexpected } from "./transport.ts";
import { createUserSessions } from "./user-sessions.ts";
import { type Endpoints, type Grant, toLifetime, type Wire } from "./wire.ts";

/** What the bearer wire is made of. */
export interface BearerWireOptions {
  readonly env: Environment;
  readonly records: Records;
  readonly endpoints: Endpoints;
  readonly timeout: number;
}

/**
 * Tokens in the caller's storage, read anew for every request because other tabs and processes write them too. The
 * access token goes to the server's origin and nowhere else, the refresh token to the token endpoints.
 */
export function createBearerWire({ env, records, endpoints, timeout }: BearerWireOptions): Wire {
  async function send(input: string | Request, init?: RequestInit): Promise<Response> {
    const { input: copy, headers } = toRequest(input, init);
    const access = (await records.read())?.access;
    if (access && !headers.has("Authorization")) headers.set("Authorization", `Bearer ${access}`);
    return env.fetch(copy, { ...init, headers });
  }

  const call = createCall(env, timeout, endpoints.auth, send);
  const callToken = createCall(env, timeout, endpoints.token, env.fetch);
  const readRefreshToken = async () => (await records.read())?.refresh;

  async function endOthers(): Promise<void> {
    const sessions = createUserSessions(call);
    for (const { id, current } of await sessions.list()) {
      if (!current) await sessions.end(id);
    }
  }

  async function endThis(): Promise<void> {
    const refresh = await readRefreshToken();
    if (!refresh) return;
    await callToken("POST", "blacklist/", { refresh }).catch((error) => {
      if (!isRefusal(error)) throw error; // refused: it had ended already
    });
  }

  return {
    origins: [endpoints.origin],
    send,
    call,
    login: async ({ username, password }) => toGrant(await callToken("POST", "", { username, password })),
    async refresh(takeAttempt) {
      const refresh = await readRefreshToken();
      if (!refresh) throw new ClientError("not_authenticated", "Nobody is logged in.", { status: 401 });
      // With rotation off the answer has no refresh token: the old one goes on.
      return toGrant({
        refresh,
        ...(await callToken("POST", "refresh/", { refresh }, { "Idempotency-Key": await takeAttempt(refresh) })),
      });
    },
    async logout(scope) {
      if (scope !== "local") await endOthers();
      if (scope !== "others") await endThis();
    },
    changePassword: async (current_password, new_password) =>
      toGrant(await call("POST", "password/", { current_password, new_password })),
    forget: () => undefined,
  };
}

function toGrant({ access, refresh }: Answer): Grant {
  if (typeof access !== "string" || typeof refresh !== "string") throw unexpected();
  const { exp, iat, sid } = toClaims(access);
  return {
    lifetime: toLifetime(Number(exp) - Number(iat)),
    tokens: { access, refresh },
    sessionId: typeof sid === "string" ? sid : undefined,
  };
}

/** The claims of a JWT, unverified: the server is the one who must not be deceived. */
function toClaims(token: string): Answer {
  try {
    return parseAnswer(atob((token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return {};
  }
}
