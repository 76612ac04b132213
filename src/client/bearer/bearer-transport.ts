import { notAuthenticated, sessionChanged, unexpectedResponse } from "../client-error.ts";
import { type Environment, probe } from "../environment.ts";
import type { SessionRecord } from "../session/records.ts";
import type { SessionStateHolder } from "../session/session-state.ts";
import { createJsonCall, type Send, toJsonObject } from "../transport/json-call.ts";
import { isUnsafe, toRequest } from "../transport/outgoing.ts";
import {
  type Grant,
  lateFactor,
  type TokenPair,
  type Transport,
  toId,
  toLifetime,
  type Urls,
} from "../transport/transport.ts";
import { createRevoker, type Revoker } from "./revoker.ts";
import type { TokenRecords } from "./token-records.ts";

/** The dependencies of the bearer transport. */
export interface BearerTransportParts {
  readonly env: Environment;
  readonly records: TokenRecords;
  readonly urls: Urls;
  readonly tokenPath: string;
  /** How long a call may take, in seconds. */
  readonly timeout: number;
  /** Whether every 401 response to a refresh logs the user out. */
  readonly endsOn401: boolean;
  readonly state: SessionStateHolder;
}

/** The transport of a client that stores its tokens. */
export interface BearerTransport extends Transport {
  /** Revokes the sessions whose tokens `logout` has deleted. */
  readonly revoker: Revoker;
}

/**
 * Creates a transport whose tokens are in the application's storage. It reads them for every request, because other tabs
 * and processes also write them. It sends the access token only to the server's origin, and the refresh token only to the
 * token endpoints.
 */
export function createBearerTransport(parts: BearerTransportParts): BearerTransport {
  const { env, records, urls, tokenPath, timeout, endsOn401, state } = parts;

  const readStored = async (): Promise<Partial<SessionRecord>> => (await records.read()) ?? {};

  const send: Send = async (input, init, fetch = env.fetch) => {
    const { input: copy, headers } = toRequest(input, init);
    const shownId = state.get().sessionId;
    const { access, sessionId } = await readStored();
    if (access && !headers.has("Authorization")) {
      if (sessionId && sessionId !== shownId && isUnsafe(input, init)) throw sessionChanged();
      headers.set("Authorization", `Bearer ${access}`);
    }
    return fetch(copy, { ...init, headers });
  };

  const call = createJsonCall(env, urls.auth, { timeout, send });
  const callToken = createJsonCall(env, urls.root + tokenPath, {
    timeout,
    send: (input, init, fetch = env.fetch) => fetch(input, init),
  });

  return {
    revoker: createRevoker(env, records, callToken),
    origins: [urls.origin],
    send,
    call,
    async login(input, { key }) {
      // Nothing is sent, and no session begins, if the storage can't keep the tokens.
      await records.write((await records.read()) ?? { at: 0, lifetime: 0, ended: null });
      if (records.error()) throw records.error();
      if ("access" in input) return toGrant(input as TokenPair);
      return toGrant(await callToken("POST", "ticket" in input ? "continue/" : "", input, { key }));
    },
    async refresh(getKey, _isKnown, signal) {
      const { refresh } = await readStored();
      if (!refresh) throw records.error() ?? notAuthenticated();
      const key = await getKey(refresh);
      const options = { key, timeout: timeout * lateFactor, signal };
      const json = await callToken("POST", "refresh/", { refresh }, options);
      // If rotation is off, the response has no refresh token and the current one stays valid.
      return toGrant({ refresh, ...json });
    },
    endsOn401: () => endsOn401,
    async logout(scope, options) {
      if (scope !== "local") return call("POST", "logout/", { scope }, options);
      const { sessionId } = await readStored();
      if (sessionId && sessionId !== (state.get().sessionId ?? sessionId)) throw sessionChanged();
      return records.forget();
    },
    async replace(...request) {
      const json = await call("POST", ...request);
      return toGrant({ refresh: (await readStored()).refresh, ...json });
    },
  };
}

function toGrant({ access, refresh }: { readonly [K in keyof TokenPair]?: unknown }): Grant {
  const { exp, iat, sid } = decodeClaims(access);
  if (typeof refresh !== "string") throw unexpectedResponse();
  return {
    // Without an access token, it isn't a number.
    lifetime: toLifetime(exp - iat),
    refreshLifetime: decodeClaims(refresh).exp - iat || undefined,
    tokens: { access: access as string, refresh },
    sessionId: toId({ id: sid }),
  };
}

/** The claims that the client reads. Nothing has checked them. */
interface Claims {
  readonly exp: number;
  readonly iat: number;
  readonly sid?: unknown;
}

/**
 * Returns the claims of a JWT without verifying it. The client trusts its server, and only the server must verify tokens.
 */
function decodeClaims(token: unknown): Claims {
  const decode = () =>
    JSON.parse(atob((String(token).split(".")[1] as string).replaceAll("-", "+").replaceAll("_", "/")));
  return toJsonObject(probe(decode)) as unknown as Claims;
}
