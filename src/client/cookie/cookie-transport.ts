import type { Environment, Page } from "../environment.ts";
import {
  createJsonCall,
  type JsonObject,
  parseJsonObject,
  requireReplayable,
  toRequest,
  unexpectedResponse,
} from "../transport/json-call.ts";
import {
  type Endpoints,
  type GetIdempotencyKey,
  type Grant,
  type Transport,
  toId,
  toLifetime,
  toUser,
} from "../transport/transport.ts";

/** The parts that the cookie transport works with. */
export interface CookieTransportParts {
  readonly env: Environment;
  readonly page: Page;
  readonly endpoints: Endpoints;
  /** Seconds. */
  readonly timeout: number;
  /** Names of the CSRF cookie. The first one that is present counts. */
  readonly csrfCookies: readonly string[];
}

/**
 * Creates a transport whose tokens are in HttpOnly cookies, which the browser sends. Unsafe requests also carry the
 * CSRF token. Both are sent only to the page's origin and to the server's.
 */
export function createCookieTransport(parts: CookieTransportParts): Transport {
  const { env, page, endpoints, timeout, csrfCookies } = parts;
  const pageOrigin = new URL(page.href).origin;
  let csrfToken: string | undefined;

  async function fetchCsrfToken(): Promise<string> {
    const { csrf_token } = await call("GET", "csrf/");
    if (typeof csrf_token !== "string") throw unexpectedResponse();
    csrfToken = csrf_token;
    return csrf_token;
  }

  // A page can't read the cookies of another origin, and its own CSRF cookie isn't that server's.
  const readCsrfCookie = () => (pageOrigin === endpoints.origin ? findCookie(page.cookies(), csrfCookies) : undefined);

  async function send(
    input: string | Request,
    init?: RequestInit,
    getIdempotencyKey?: GetIdempotencyKey,
  ): Promise<Response> {
    async function sendOnce(newCsrfToken?: string): Promise<Response> {
      const { input: copy, method, headers } = toRequest(input, init);
      if (isUnsafe(method)) {
        const token = newCsrfToken ?? readCsrfCookie() ?? csrfToken ?? (await fetchCsrfToken());
        headers.set("X-CSRFToken", token);
        // The CSRF token changes with every refresh token, and the server refuses it together with another one.
        if (getIdempotencyKey) headers.set("Idempotency-Key", await getIdempotencyKey(token));
      }
      return env.fetch(copy, { credentials: "include", ...init, headers });
    }

    const response = await sendOnce();
    if (response.status !== 403) return response;
    if (parseJsonObject(await response.clone().text())["code"] !== "csrf_failed") return response;
    const newCsrfToken = await fetchCsrfToken();
    requireReplayable(init);
    return sendOnce(newCsrfToken);
  }

  const createCall = (getIdempotencyKey?: GetIdempotencyKey) =>
    createJsonCall(env, timeout, endpoints.auth, (input, init) => send(input, init, getIdempotencyKey));
  const call = createCall();

  return {
    origins: [endpoints.origin, pageOrigin],
    send,
    call,
    async login({ username, password, remember = true }) {
      const json = await call("POST", "login/", { username, password, remember });
      return { ...toGrant(json), user: toUser(json["user"]), sessionId: toId(json["session"]) };
    },
    refresh: async (getIdempotencyKey) => toGrant(await createCall(getIdempotencyKey)("POST", "refresh/")),
    async logout(scope) {
      await call("POST", "logout/", { scope });
    },
    async changePassword(current_password, new_password) {
      await call("POST", "password/", { current_password, new_password });
      return {};
    },
    reset() {
      csrfToken = undefined;
    },
  };
}

const toGrant = (json: JsonObject): Grant => ({ lifetime: toLifetime(json["access_expires_in"]) });

const isUnsafe = (method: string) => !["GET", "HEAD", "OPTIONS"].includes(method);

function findCookie(cookies: string, names: readonly string[]): string | undefined {
  return names.map((name) => `; ${cookies}`.split(`; ${name}=`)[1]?.split(";")[0]).find(Boolean);
}
