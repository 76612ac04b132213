import { notAuthenticated, sessionChanged, unexpectedResponse } from "../client-error.ts";
import type { Environment } from "../environment.ts";
import type { SessionStateHolder } from "../session/session-state.ts";
import { createJsonCall, type JsonCall, type JsonObject, parseJsonObject, type Send } from "../transport/json-call.ts";
import { isUnsafe, toRequest } from "../transport/outgoing.ts";
import { type Grant, lateFactor, type Transport, toLifetime, type Urls } from "../transport/transport.ts";
import type { TokenRecords } from "./token-records.ts";
import type { TokenStorage } from "./token-storage.ts";

/** The dependencies of the bearer transport. */
export interface BearerTransportParts {
  readonly env: Environment;
  readonly records: TokenRecords;
  readonly storage: TokenStorage;
  readonly urls: Urls;
  /** Calls a `path` below the token path. */
  readonly callToken: JsonCall;
  /** How long a call may take, in seconds. */
  readonly timeout: number;
  /** Whether every 401 response to a refresh logs the user out. */
  readonly endsOn401: boolean;
  readonly state: SessionStateHolder;
}

/**
 * Creates a transport whose tokens are in the application's storage. It reads them for every request, because other tabs
 * and processes also write them. It sends the access token only to the server's origin, and the refresh token only to the
 * token endpoints.
 */
export function createBearerTransport(parts: BearerTransportParts): Transport {
  const { env, records, storage, urls, callToken, timeout, endsOn401, state } = parts;

  const send: Send = async (input, init, fetch = env.fetch) => {
    const { input: copy, headers } = toRequest(input, init);
    const shownId = state.get().sessionId;
    const { access, sessionId } = (await records.read()) ?? {};
    if (access && !headers.has("Authorization")) {
      if (sessionId && sessionId !== shownId && isUnsafe(input, init)) throw sessionChanged();
      headers.set("Authorization", `Bearer ${access}`);
    }
    return fetch(copy, { ...init, headers });
  };

  const call = createJsonCall(env, urls.auth, { timeout, send });

  return {
    origins: [urls.origin],
    send,
    call,
    async login(input) {
      // The password isn't sent, and no session begins, if the storage can't keep the tokens.
      await records.write((await records.read()) ?? { at: 0, lifetime: 0, ended: null });
      const error = storage.error();
      if (error) throw error;
      return toGrant("access" in input ? { ...input } : await callToken("POST", "", input));
    },
    async refresh(getKey, _isKnown, signal) {
      const { refresh } = (await records.read()) ?? {};
      if (!refresh) throw storage.error() ?? notAuthenticated();
      const key = await getKey(refresh);
      const options = { key, timeout: timeout * lateFactor, signal };
      const json = await callToken("POST", "refresh/", { refresh }, options);
      // If rotation is off, the response has no refresh token and the current one stays valid.
      return toGrant({ refresh, ...json });
    },
    endsOn401: () => endsOn401,
    async logout(scope, options) {
      if (scope !== "local") return void (await call("POST", "logout/", { scope }, options));
      const { sessionId } = (await records.read()) ?? {};
      if (sessionId && sessionId !== (state.get().sessionId ?? sessionId)) throw sessionChanged();
      await records.forget();
    },
    async replace(...request) {
      const json = await call("POST", ...request);
      return toGrant({ refresh: (await records.read())?.refresh, ...json });
    },
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

/**
 * Returns the claims of a JWT without verifying it. The client trusts its server, and only the server must verify tokens.
 */
function decodeClaims(token: string): JsonObject {
  try {
    return parseJsonObject(atob((token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return {};
  }
}
