import type { Environment, Page } from "./environment.ts";
import { type Answer, createCall, parseAnswer, requireReplayable, toRequest, unexpected } from "./transport.ts";
import { type Endpoints, type Grant, type TakeAttempt, toId, toUser, type Wire } from "./wire.ts";

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

  async function sendOnce(
    input: string | Request,
    init: RequestInit | undefined,
    takeAttempt?: TakeAttempt,
    renewed?: string,
  ): Promise<Response> {
    const request = toRequest(input, init);
    if (isUnsafe(request.method)) {
      const csrf = renewed ?? readCsrfCookie() ?? csrfToken ?? (await fetchCsrfToken());
      request.headers.set("X-CSRFToken", csrf);
      // Renewed with every refresh token, it tells which one goes out; the server refuses it beside another.
      if (takeAttempt) request.headers.set("Idempotency-Key", await takeAttempt(csrf));
    }
    return env.fetch(request.input, { credentials: "include", ...init, headers: request.headers });
  }

  async function send(input: string | Request, init?: RequestInit, takeAttempt?: TakeAttempt): Promise<Response> {
    const response = await sendOnce(input, init, takeAttempt);
    if (response.status !== 403) return response;
    if (parseAnswer(await response.clone().text())["code"] !== "csrf_failed") return response;
    const renewed = await fetchCsrfToken();
    requireReplayable(init, "The CSRF token was renewed");
    return sendOnce(input, init, takeAttempt, renewed);
  }

  const callWith = (takeAttempt?: TakeAttempt) =>
    createCall(env, timeout, endpoints.auth, (input, init) => send(input as string, init, takeAttempt));
  const call = callWith();

  return {
    trusts: ({ origin }) => origin === endpoints.origin || origin === ownOrigin,
    send,
    call,
    async login({ username, password, remember = true }) {
      const answer = await call("POST", "login/", { username, password, remember });
      return { ...toGrant(answer), user: toUser(answer["user"]), sessionId: toId(answer["session"]) };
    },
    async refresh(takeAttempt) {
      const grant = toGrant(await callWith(takeAttempt)("POST", "refresh/"));
      csrfToken = undefined;
      return grant;
    },
    async logout(scope) {
      await call("POST", "logout/", { scope });
    },
    async changePassword(current_password, new_password) {
      await call("POST", "password/", { current_password, new_password });
      return undefined;
    },
    forget() {
      csrfToken = undefined;
    },
  };
}

function toGrant(answer: Answer): Grant {
  const lifetime = Number(answer["access_expires_in"]);
  if (!(lifetime > 0)) throw unexpected();
  return { lifetime };
}

const isUnsafe = (method: string) => !["GET", "HEAD", "OPTIONS", "TRACE"].includes(method);

function findCookie(cookies: string, names: readonly string[]): string | undefined {
  return names.map((name) => `; ${cookies}`.split(`; ${name}=`)[1]?.split(";")[0]).find(Boolean);
}
