import type { Environment, Page } from "./environment.ts";
import { type Answer, createCall, parseAnswer, requireReplayable, toRequest, unexpected } from "./transport.ts";
import { type Endpoints, type Grant, type TakeAttempt, toId, toLifetime, toUser, type Wire } from "./wire.ts";

/** What the cookie wire is made of. `csrfCookies` are names, the first that is there counts. */
export interface CookieWireOptions {
  readonly env: Environment;
  readonly page: Page;
  readonly endpoints: Endpoints;
  readonly timeout: number;
  readonly csrfCookies: readonly string[];
}

/**
 * Tokens in HttpOnly cookies, which the browser sends; unsafe requests carry the CSRF token. Both go to the page's own
 * origin and the server's, and nowhere else.
 */
export function createCookieWire({ env, page, endpoints, timeout, csrfCookies }: CookieWireOptions): Wire {
  const ownOrigin = new URL(page.href).origin;
  let csrfToken: string | undefined;

  async function fetchCsrfToken(): Promise<string> {
    const { csrf_token } = await call("GET", "csrf/");
    if (typeof csrf_token !== "string") throw unexpected();
    csrfToken = csrf_token;
    return csrf_token;
  }

  // The cookies of another origin cannot be read, and cookies of this page say nothing about it.
  const readCsrfCookie = () => (ownOrigin === endpoints.origin ? findCookie(page.cookies(), csrfCookies) : undefined);

  async function send(input: string | Request, init?: RequestInit, takeAttempt?: TakeAttempt): Promise<Response> {
    async function sendOnce(renewed?: string): Promise<Response> {
      const { input: copy, method, headers } = toRequest(input, init);
      if (isUnsafe(method)) {
        const csrf = renewed ?? readCsrfCookie() ?? csrfToken ?? (await fetchCsrfToken());
        headers.set("X-CSRFToken", csrf);
        // Renewed with every refresh token, it tells which one goes out; the server refuses it beside another.
        if (takeAttempt) headers.set("Idempotency-Key", await takeAttempt(csrf));
      }
      return env.fetch(copy, { credentials: "include", ...init, headers });
    }

    const response = await sendOnce();
    if (response.status !== 403) return response;
    if (parseAnswer(await response.clone().text())["code"] !== "csrf_failed") return response;
    const renewed = await fetchCsrfToken();
    requireReplayable(init);
    return sendOnce(renewed);
  }

  const callWith = (takeAttempt?: TakeAttempt) =>
    createCall(env, timeout, endpoints.auth, (input, init) => send(input, init, takeAttempt));
  const call = callWith();

  return {
    origins: [endpoints.origin, ownOrigin],
    send,
    call,
    async login({ username, password, remember = true }) {
      const answer = await call("POST", "login/", { username, password, remember });
      return { ...toGrant(answer), user: toUser(answer["user"]), sessionId: toId(answer["session"]) };
    },
    refresh: async (takeAttempt) => toGrant(await callWith(takeAttempt)("POST", "refresh/")),
    async logout(scope) {
      await call("POST", "logout/", { scope });
    },
    async changePassword(current_password, new_password) {
      await call("POST", "password/", { current_password, new_password });
      return {};
    },
    forget() {
      csrfToken = undefined;
    },
  };
}

const toGrant = (answer: Answer): Grant => ({ lifetime: toLifetime(answer["access_expires_in"]) });

const isUnsafe = (method: string) => !["GET", "HEAD", "OPTIONS"].includes(method);

function findCookie(cookies: string, names: readonly string[]): string | undefined {
  return names.map((name) => `; ${cookies}`.split(`; ${name}=`)[1]?.split(";")[0]).find(Boolean);
}
