import type { FakeClock } from "./fake-clock.ts";
import type { CookieJar, FakeServer, FakeSession, FakeUser, Fault } from "./fake-server-types.ts";

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(status === 204 ? null : JSON.stringify(body), { status, headers });
const challenge = { "WWW-Authenticate": 'Bearer realm="api"' };
const refused = (detail: string, code = "token_not_valid", headers: Record<string, string> = {}) =>
  json(401, { detail, code }, { ...challenge, ...headers });
const needsConfirmation = () =>
  json(
    401,
    { detail: "Confirm that it is you, and try again.", code: "confirmation_required", max_age: 600 },
    { "WWW-Authenticate": 'Bearer realm="api", error="insufficient_user_authentication", max_age="600"' },
  );
const notAuthenticated = () => refused("Authentication credentials were not provided.", "not_authenticated");

/** Creates a server in memory that implements the part of the HTTP API that the client uses. */
export function createFakeServer(clock: FakeClock): FakeServer {
  const sessions = new Map<string, FakeSession>();
  const requests: FakeServer["requests"] = [];
  const faults: Fault[] = [];
  const users = new Map(["alice", "bob"].map((username, index) => [username, { id: `${index + 1}`, username }]));
  const tickets = new Map<string, string>();
  const passwords = new Map([...users.keys()].map((username) => [username, "secret"]));
  let serial = 0;
  const next = () => {
    serial += 1;
    return serial;
  };

  const server: FakeServer = {
    requests,
    count: (line) => requests.filter((request) => request.line === line).length,
    sessions,
    faults,
    latency: 0,
    accessLifetime: 1800,
    claims: {},
    asksForCode: false,
    isOld: false,
    csrfHeader: "X-CSRFToken",
    users,
    revoke(sessionId, detail = "Token is blacklisted", code = "token_not_valid") {
      const session = sessions.get(sessionId);
      if (session) session.revoked = JSON.stringify([detail, code]);
    },
    async fetch(jar, input, init) {
      const request = new Request(input, {
        ...init,
        ...(init?.body instanceof ReadableStream && { duplex: "half" }),
      } as RequestInit);
      const path = new URL(request.url).pathname;
      const body = await request.text();
      const fault = takeFault(path);
      if (fault === "hang") {
        return new Promise((_, reject) =>
          request.signal.addEventListener("abort", () => reject(request.signal.reason)),
        );
      }
      await travel(request.signal);
      if (fault === "offline") throw new TypeError("Failed to fetch");
      requests.push({
        line: `${request.method} ${path}`,
        url: request.url,
        headers: request.headers,
        credentials: request.credentials,
        body,
      });
      if (fault instanceof Response) return followRedirect(request, fault);
      const sent = new Map(jar);
      const { response, cookies } = answer(request, path, body, sent);
      await travel(request.signal, typeof fault === "number" ? fault : 0);
      if (fault === "lost response") throw new TypeError("Failed to fetch");
      for (const [name, value] of Object.entries(cookies ?? {})) {
        if (value === null) jar.delete(name);
        else jar.set(name, value);
      }
      return response;
    },
  };

  function takeFault(path: string): Fault["kind"] | undefined {
    const index = faults.findIndex(({ on }) => path.includes(on));
    const fault = faults[index];
    if (!fault) return undefined;
    if (fault.times !== undefined && fault.times > 1) faults[index] = { ...fault, times: fault.times - 1 };
    else faults.splice(index, 1);
    return fault.kind instanceof Response ? fault.kind.clone() : fault.kind;
  }

  /** Behaves as a browser does (Fetch §4.4, "HTTP-redirect fetch"), and records the request to the other URL. */
  function followRedirect(request: Request, response: Response): Response {
    const location = response.headers.get("Location");
    if (!location || request.redirect === "manual") return response;
    const url = new URL(location, request.url);
    const isAllowed = request.mode !== "same-origin" || url.origin === new URL(request.url).origin;
    if (request.redirect === "error" || !isAllowed) throw new TypeError("Failed to fetch");
    const { headers, credentials } = request;
    requests.push({ line: `GET ${url.pathname}`, url: url.href, headers, credentials, body: "" });
    return json(200, {});
  }

  async function travel(signal: AbortSignal, delay = 0): Promise<void> {
    const duration = server.latency + delay;
    if (duration > 0) {
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, duration);
        signal.addEventListener("abort", () => resolve());
      });
    }
    signal.throwIfAborted();
  }

  type Answered = { response: Response; cookies?: Record<string, string | null> };

  function answer(request: Request, path: string, body: string, jar: CookieJar): Answered {
    const line = `${request.method} ${path}`;
    if (line === "GET /api/auth/csrf/") return csrf(jar);
    if (path.startsWith("/api/token/")) return { response: answerToken(path, JSON.parse(body)) };
    const bearer = request.headers.get("Authorization")?.slice(7);
    const isUnsafe = !["GET", "HEAD"].includes(request.method);
    if (isUnsafe && !bearer && !isCsrfToken(request, jar, line.startsWith("POST /api/auth/login/"))) {
      return { response: json(403, { detail: "CSRF Failed: token", code: "csrf_failed" }) };
    }
    if (line === "POST /api/auth/login/") return begin(checkPassword(JSON.parse(body)), jar);
    if (line === "POST /api/auth/login/continue/")
      return begin(checkCode(JSON.parse(body), request.headers.get("Idempotency-Key")), jar);
    if (line === "POST /api/auth/refresh/") return refresh(jar, request.headers.get("Idempotency-Key"));
    if (line === "POST /api/auth/logout/") {
      if (bearer && !toLive(bearer)) return { response: refused("Given token not valid for any token type") };
      return logout(jar, JSON.parse(body), toLive(bearer)?.id);
    }
    if (line === "POST /api/auth/password/") return changePassword(request, JSON.parse(body), { bearer, jar });
    const session = toLive(bearer ?? jar.get("access"));
    if (path.startsWith("/public/")) return { response: json(200, { echo: body }) };
    if (!session) {
      return { response: refused("Given token not valid for any token type") };
    }
    if (line === "POST /api/auth/confirm/") return confirm(session, JSON.parse(body), bearer !== undefined);
    if (path === "/api/payouts/" && clock.time() - toClaims(bearer ?? jar.get("access") ?? "").auth_time > 600_000) {
      return { response: needsConfirmation() };
    }
    if (path === "/api/auth/me/") {
      return {
        response: json(200, { ...session.user, session: { id: session.id, created_at: 0, expires_at: 9 } }),
      };
    }
    if (line === "GET /api/auth/sessions/") {
      return {
        response: json(200, {
          sessions: [...sessions.values()].filter((s) => !s.revoked).map((s) => toInfo(s, session)),
        }),
      };
    }
    if (path.startsWith("/api/auth/sessions/")) {
      const other = sessions.get(path.split("/")[4] ?? "");
      if (!other || other.revoked) return { response: json(404, { detail: "Not found.", code: "not_found" }) };
      if (request.method === "PATCH")
        return { response: json(200, { ...toInfo(other, session), ...JSON.parse(body) }) };
      server.revoke(other.id);
      return { response: json(204, null) };
    }
    return { response: json(200, { echo: body }) };
  }

  /** A repeated change is answered by any token of its session, and its current password isn't looked at. */
  function changePassword(
    request: Request,
    body: Record<string, string>,
    { bearer, jar }: { readonly bearer: string | undefined; readonly jar: CookieJar },
  ): Answered {
    const access = bearer ?? jar.get("access");
    const named = sessions.get((access && toClaims(access).sid) ?? jar.get("refresh")?.split(":")[0]);
    const key = request.headers.get("Idempotency-Key");
    const isRepeated = key !== null && named?.change?.key === key && named.change.generation === named.generation;
    const session = isRepeated && !named.revoked ? named : toLive(access);
    if (!session) return { response: refused("Given token not valid for any token type") };
    if (!isRepeated) {
      if (body["current_password"] !== passwords.get(session.username))
        return { response: json(400, { current_password: ["Invalid password."] }) };
      passwords.set(session.username, body["new_password"] ?? "");
      session.generation += 1;
      session.previousKey = null;
      session.rotatedAt = 0;
      session.epoch += 1;
      session.change = { key, generation: session.generation };
    }
    const response = json(200, bearer ? toPair(session) : {});
    return bearer ? { response } : { response, cookies: toCookies(session) };
  }

  function confirm(session: FakeSession, body: Record<string, string>, isBearer: boolean): Answered {
    if (body["password"] !== passwords.get(session.username))
      return { response: json(400, { password: ["Invalid password."] }) };
    session.confirmedAt = clock.time();
    const access = toAccess(session);
    return isBearer ? { response: json(200, { access }) } : { response: json(204, null), cookies: { access } };
  }

  const toInfo = (session: FakeSession, current: FakeSession) => ({
    id: session.id,
    current: session === current,
    created_at: 1,
    last_used_at: 2,
    expires_at: 3,
    user_agent: "x",
    ip: null,
    label: null,
    actor: null,
  });

  function create(username = "alice"): FakeSession {
    const user = users.get(username) as FakeUser;
    const session = {
      id: `s${sessions.size + 1}`,
      username,
      user,
      generation: 0,
      previousKey: null,
      rotatedAt: 0,
      epoch: 0,
      change: null,
      confirmedAt: clock.time(),
      revoked: null,
    };
    sessions.set(session.id, session);
    return session;
  }

  const toAccess = (session: FakeSession) => {
    const iat = Math.floor(clock.time() / 1000);
    const claims = {
      sid: session.id,
      ue: session.epoch,
      iat,
      exp: iat + server.accessLifetime,
      ms: clock.time(),
      auth_time: session.confirmedAt,
      ...server.claims,
    };
    return `h.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;
  };
  const toPair = (session: FakeSession) => ({
    access: toAccess(session),
    refresh: `${session.id}:${session.generation}`,
  });
  const toClaims = (access: string) => JSON.parse(Buffer.from(access.split(".")[1] ?? "", "base64url").toString());
  function toLive(access: string | undefined): FakeSession | undefined {
    if (!access) return undefined;
    const { sid, ue, ms } = toClaims(access);
    const session = sessions.get(sid);
    const isLive = session && !session.revoked && ue === session.epoch;
    return isLive && clock.time() < ms + server.accessLifetime * 1000 ? session : undefined;
  }
  const toCookies = (session: FakeSession) => {
    const { access, refresh } = toPair(session);
    return { access, refresh, csrftoken: toCsrfToken(session.id, session.generation) };
  };

  /** The last part names the session, as the HMAC of a real token does. The tokens of version 0.1 have no prefix. */
  const toCsrfToken = (sessionId: string | undefined, random: number) =>
    `${server.isOld ? "" : sessionId ? "s" : "n"}${`${random}`.padStart(22, "r")}.${`${random} of ${sessionId}`.padStart(43, "_")}`;
  const isTokenOf = (token: string, sessionId: string | undefined) => token.endsWith(` of ${sessionId}`);
  const findSessionId = (jar: CookieJar) => toLive(jar.get("access"))?.id ?? jar.get("refresh")?.split(":")[0];

  function isCsrfToken(request: Request, jar: CookieJar, isLogin: boolean): boolean {
    const token = jar.get("csrftoken");
    if (!token || request.headers.get(server.csrfHeader) !== token) return false;
    return isTokenOf(token, findSessionId(jar)) || (isLogin && isTokenOf(token, undefined));
  }

  function csrf(jar: CookieJar): Answered {
    const [id, cookie] = [findSessionId(jar), jar.get("csrftoken")];
    const token = cookie && isTokenOf(cookie, id) ? cookie : toCsrfToken(id, 1000 + next());
    const session = server.isOld ? {} : { session: id ? { id } : null };
    return { response: json(200, { csrf_token: token, ...session }), cookies: { csrftoken: token } };
  }

  const toBody = ({ id, user: { claims, ...user } }: FakeSession) => ({
    session: { id },
    user,
    claims,
    access_expires_in: server.accessLifetime,
    refresh_expires_in: 30 * 86_400,
  });
  const noCookies = { access: null, refresh: null, csrftoken: null };

  /** Returns the session of the right password, or a refusal, which may ask for a code. */
  function checkPassword({ username = "", password }: Record<string, string>): FakeSession | Response {
    if (password !== passwords.get(username))
      return refused("No active account found with the given credentials", "no_active_account");
    if (!server.asksForCode) return create(username);
    const ticket = `tpl_${next()}`;
    tickets.set(ticket, username);
    const body = { detail: "Enter the code.", code: "second_factor_required", ticket, methods: ["otp"] };
    return json(401, body, challenge);
  }

  /** Returns the session of the right code, or a refusal. A repeated request gets the session that the first one began. */
  function checkCode({ ticket = "", code }: Record<string, string>, key: string | null): FakeSession | Response {
    const username = tickets.get(ticket);
    const begun = [...sessions.values()].find((session) => session.ticket === `${ticket} ${key}`);
    if (begun) return begun;
    if (username === undefined) return refused("Log in again.", "ticket_invalid");
    if (code !== "123456") return json(400, { detail: "The code is wrong.", code: "second_factor_invalid" });
    tickets.delete(ticket);
    const session = create(username);
    if (key !== null) session.ticket = `${ticket} ${key}`;
    return session;
  }

  function begin(session: FakeSession | Response, jar: CookieJar): Answered {
    if (session instanceof Response) return { response: session };
    const earlierId = jar.get("refresh")?.split(":")[0] ?? "";
    if (earlierId !== session.id) server.revoke(earlierId);
    return { response: json(200, toBody(session)), cookies: toCookies(session) };
  }

  const ended = (): Record<string, string> => (server.isOld ? {} : { "Session-Ended": "true" });

  function rotate(refreshToken: string | undefined, key: string | null): FakeSession | Response {
    if (!refreshToken) return notAuthenticated();
    const [id = "", generation = ""] = refreshToken.split(":");
    const session = sessions.get(id);
    if (!session || session.revoked) {
      const [detail, code] = JSON.parse(session?.revoked ?? '["Token is invalid","token_not_valid"]');
      return refused(detail, code, ended());
    }
    if (Number(generation) < (session.change?.generation ?? 0)) return refused("Token is invalid", "password_changed");
    const behind = session.generation - Number(generation);
    if (behind === 0) {
      session.generation += 1;
      session.previousKey = key;
      session.rotatedAt = clock.time();
      return session;
    }
    const isReplay = behind === 1 && (key === session.previousKey || clock.time() - session.rotatedAt <= 10_000);
    if (isReplay) return session;
    server.revoke(id);
    return refused("Token is blacklisted", "token_not_valid", ended());
  }

  function refresh(jar: CookieJar, key: string | null): Answered {
    const rotated = rotate(jar.get("refresh"), key);
    if (rotated instanceof Response) {
      const isOver = server.isOld || rotated.headers.has("Session-Ended");
      return isOver ? { response: rotated, cookies: noCookies } : { response: rotated };
    }
    const { access_expires_in, refresh_expires_in, ...named } = toBody(rotated);
    const body = { access_expires_in, refresh_expires_in, ...(server.isOld ? {} : named) };
    return { response: json(200, body), cookies: toCookies(rotated) };
  }

  function logout(jar: CookieJar, { scope }: { scope: string }, id?: string): Answered {
    const own = id ?? jar.get("refresh")?.split(":")[0];
    for (const { id } of sessions.values()) {
      if (scope === "all" || (scope === "local") === (id === own)) server.revoke(id);
    }
    return scope === "others" ? { response: json(200, {}) } : { response: json(200, {}), cookies: noCookies };
  }

  function answerToken(path: string, body: Record<string, string>): Response {
    const key = requests.at(-1)?.headers.get("Idempotency-Key") ?? null;
    if (path === "/api/token/blacklist/") {
      server.revoke(body["refresh"]?.split(":")[0] ?? "");
      return json(200, {});
    }
    const toSession = () => {
      if (path === "/api/token/") return checkPassword(body);
      return path === "/api/token/continue/" ? checkCode(body, key) : rotate(body["refresh"], key);
    };
    const session = toSession();
    return session instanceof Response ? session : json(200, toPair(session));
  }

  return server;
}
