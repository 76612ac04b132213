import { isUnauthorized, notAuthenticated, sessionChanged, unexpectedResponse } from "../client-error.ts";
import type { Environment } from "../environment.ts";
import type { Records } from "../session/records.ts";
import { createJsonCall, type JsonObject, parseJsonObject, type Send } from "../transport/json-call.ts";
import { isUnsafe, toRequest } from "../transport/outgoing.ts";
import { type Endpoints, type Grant, lateFactor, type Transport, toLifetime } from "../transport/transport.ts";
import { createUserSessions } from "../user-sessions.ts";

/** The parts that the bearer transport works with. */
export interface BearerTransportParts {
  readonly env: Environment;
  readonly records: Records;
  readonly endpoints: Endpoints;
  readonly tokenPath: string;
  /** Seconds. */
  readonly timeout: number;
  /** Whether every 401 to a refresh logs the user out. */
  readonly endsOn401: boolean;
  /** Returns the id of the session that the client shows. */
  readonly getShownId: () => string | undefined;
}

/**
 * Creates a transport whose tokens are in the application's storage. They are read for every request, because other
 * tabs and processes write them too. The access token is sent only to the server's origin, and the refresh token only
 * to the token endpoints.
 */
export function createBearerTransport(parts: BearerTransportParts): Transport {
  const { env, records, endpoints, tokenPath, timeout, endsOn401, getShownId } = parts;

  const send: Send = async (input, init, fetch = env.fetch) => {
    const { input: copy, headers } = toRequest(input, init);
    const shownId = getShownId();
    const { access, sessionId } = (await records.read()) ?? {};
    if (access && !headers.has("Authorization")) {
      if (sessionId && sessionId !== shownId && isUnsafe(input, init)) throw sessionChanged();
      headers.set("Authorization", `Bearer ${access}`);
    }
    return fetch(copy, { ...init, headers });
  };

  const call = createJsonCall(env, timeout, endpoints.auth, send);
  const createTokenCall = (seconds: number) =>
    createJsonCall(env, seconds, endpoints.root + tokenPath, (input, init, fetch = env.fetch) => fetch(input, init));
  const callToken = createTokenCall(timeout);
  const readRefreshToken = async () => (await records.read())?.refresh;

  async function revokeOthers(): Promise<void> {
    const sessions = createUserSessions(call);
    for (const { id, current } of await sessions.list()) {
      if (!current) await sessions.revoke(id);
    }
  }

  async function revokeCurrent(): Promise<void> {
    const refresh = await readRefreshToken();
    if (!refresh) return;
    await callToken("POST", "blacklist/", { refresh }).catch((error) => {
      if (!isUnauthorized(error)) throw error; // 401: already revoked or expired
    });
  }

  return {
    origins: [endpoints.origin],
    send,
    call,
    login: async ({ username, password }) => toGrant(await callToken("POST", "", { username, password })),
    async refresh(getIdempotencyKey) {
      const refresh = await readRefreshToken();
      if (!refresh) throw notAuthenticated();
      const key = await getIdempotencyKey(refresh);
      const headers = key ? { "Idempotency-Key": key } : undefined;
      const json = await createTokenCall(timeout * lateFactor)("POST", "refresh/", { refresh }, headers);
      // If rotation is off, the response has no refresh token and the current one stays valid.
      return toGrant({ refresh, ...json });
    },
    endsOn401: () => endsOn401,
    async logout(scope) {
      if (scope !== "local") await revokeOthers();
      if (scope !== "others") await revokeCurrent();
    },
    changePassword: async (current_password, new_password) =>
      toGrant(await call("POST", "password/", { current_password, new_password })),
  };
}

function toGrant({ access, refresh }: JsonObject): Grant {
  if (typeof access !== "string" || typeof refresh !== "string") throw unexpectedResponse();
  const { exp, iat, sid } = decodeClaims(access);
  const refreshExp = decodeClaims(refresh)["exp"];
  return {
    lifetime: toLifetime(Number(exp) - Number(iat)),
    refreshLifetime: Number(refreshExp) - Number(iat) || undefined,
    tokens: { access, refresh },
    sessionId: typeof sid === "string" ? sid : undefined,
  };
}

/** Returns the claims of a JWT without verifying it: the client trusts its server, and only the server must verify. */
function decodeClaims(token: string): JsonObject {
  try {
    return parseJsonObject(atob((token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return {};
  }
}
