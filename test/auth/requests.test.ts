import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Auth, AuthEvent, Authentication, LoginResult, RequestLike } from "../../src/index.ts";
import { type AuthNode, addUser, bearer, refused, startNode } from "./node.ts";

let node: AuthNode;
let auth: Auth;
let login: LoginResult;

beforeEach(async () => {
  // Memory is enough, however long the machine pauses.
  node = await startNode({ maxStaleness: 3_600 });
  ({ auth } = node);
  login = await auth.issue(await addUser(auth));
});
afterEach(() => node.close());

/** Sends a request through `node:http`, and returns what `answer` makes of Node's own request. */
async function receive<T>(answer: (req: IncomingMessage) => T, path: string, init: RequestInit): Promise<Awaited<T>> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const answered = new Promise<T>((resolve, reject) =>
    server.on("request", (req, res) => {
      Promise.resolve(answer(req)).then(resolve, reject);
      res.end();
    }),
  );
  const { port } = server.address() as AddressInfo;
  try {
    const [answer] = await Promise.all([answered, fetch(`http://127.0.0.1:${port}${path}`, init)]);
    return answer;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const url = "https://app.example/orders?page=2";
const cookie = () => ({ cookie: `__Host-Http-access=${login.access}` });

interface Sent {
  readonly headers: Record<string, string>;
  readonly method: string;
}

describe.each<readonly [form: string, authenticate: (sent: Sent) => Promise<Authentication>]>([
  ["a Fetch Request", (sent) => auth.authenticate(new Request(url, sent))],
  ["Headers with a method", ({ headers, method }) => auth.authenticate(new Headers(headers), { method })],
  ["an object with Node's header record", (sent) => auth.authenticate(sent)],
  ["Node's IncomingMessage", (sent) => receive((req) => auth.authenticate(req), "/orders?page=2", sent)],
])("authenticate, given %s,", (form, authenticate) => {
  it(`returns who sent ${form} with a bearer token, whatever its method`, async () => {
    const expected = { userId: login.user.id, sessionId: login.session.id };
    for (const method of ["GET", "POST"]) {
      expect(await authenticate({ ...bearer(login.access), method })).toMatchObject(expected);
    }
  });

  it(`accepts ${form} with the access cookie alone only if its method is safe`, async () => {
    expect(await authenticate({ headers: cookie(), method: "GET" })).toMatchObject({ userId: login.user.id });
    await expect(authenticate({ headers: cookie(), method: "DELETE" })).rejects.toEqual(refused("csrf_failed"));
  });

  it(`refuses ${form} without a token`, async () => {
    await expect(authenticate({ headers: {}, method: "GET" })).rejects.toEqual(refused("not_authenticated"));
  });
});

describe("authenticate", () => {
  it("authenticates no request by cookie alone if its method is missing", async () => {
    await expect(auth.authenticate({ headers: cookie() })).rejects.toEqual(refused("csrf_failed"));
    await expect(auth.authenticate(new Headers(cookie()))).rejects.toEqual(refused("csrf_failed"));
  });

  it("emits one event for each unsafe request with a cookie but no CSRF token, in authenticate and in check", async () => {
    const request = { headers: { ...cookie(), "user-agent": "Firefox" }, method: "POST" };
    const events: AuthEvent[] = [];
    const stop = auth.on((event) => events.push(event));
    await expect(auth.authenticate(request)).rejects.toEqual(refused("csrf_failed"));
    expect(await auth.check(request)).toMatchObject({ ok: false });
    stop();
    await auth.check(request);
    const { user, session } = login;
    const event = { type: "csrf_refused", userId: user.id, sessionId: session.id, client: { userAgent: "Firefox" } };
    expect(events).toMatchObject([event, event]);
  });
});

describe("check", () => {
  type Make = (headers: Record<string, string>) => RequestLike | Headers;
  const requests: readonly (readonly [form: string, make: Make])[] = [
    ["a Fetch Request", (headers) => new Request(url, { headers, method: "POST" })],
    ["Headers", (headers) => new Headers(headers)],
    ["an object with Node's header record", (headers) => ({ headers, method: "POST" })],
  ];

  it.each(requests)("checks %s without a promise if memory is enough", (_, make) => {
    const checked = auth.check(make(bearer(login.access).headers));
    expect(checked).toMatchObject({ ok: true, authentication: { userId: login.user.id } });
  });

  it.each(requests)("returns the response of the contract that refuses %s with a forged token", async (_, make) => {
    const checked = await auth.check(make(bearer("garbage").headers));
    if (checked.ok) throw new Error("accepted");
    expect(checked.response.status).toBe(401);
    expect(checked.response.headers.get("WWW-Authenticate")).toBe('Bearer realm="api", error="invalid_token"');
    expect(await checked.response.json()).toMatchObject({ code: "token_not_valid" });
  });

  it("checks Node's IncomingMessage, and returns who sent it or the response that refuses it", async () => {
    const check = (headers: Record<string, string>) => receive((req) => auth.check(req), "/orders", { headers });
    expect(await check(cookie())).toMatchObject({ ok: true, authentication: { userId: login.user.id } });
    expect(await check({})).toMatchObject({ ok: false, response: { status: 401 } });
  });

  it("refuses an unsafe request with the access cookie but no CSRF token with 403", async () => {
    const checked = await auth.check(new Headers(cookie()), { method: "PUT" });
    expect(checked).toMatchObject({ ok: false, response: { status: 403 } });
    expect(await auth.check(new Headers(cookie()), { method: "HEAD" })).toMatchObject({ ok: true });
  });
});

describe("handles", () => {
  it.each([
    "/api/token",
    "/api/token/",
    "/api/token/?x=1",
    "/api/auth/me/#top",
    "/api/auth/sessions/0199?x",
    "https://app.example/api/token/refresh/?x=1",
    "http://localhost:8000/api/auth/login",
  ])("handles %s, whose path has an endpoint", (target) => {
    expect(auth.handles(target)).toBe(true);
    expect(auth.handles({ url: target })).toBe(true);
  });

  it.each(["/", "", "/api/orders", "/orders?next=/api/token/", "https://app.example/?/api/token/", "/api/tokens", "*"])(
    "does not handle %s, whose path has no endpoint",
    (target) => {
      expect(auth.handles(target)).toBe(false);
      expect(auth.handles({ url: target })).toBe(false);
    },
  );

  it("handles a Fetch Request and Node's request by their path, whatever the query", async () => {
    const { handles } = auth;
    expect(handles(new Request("https://app.example/api/token/?x=1"))).toBe(true);
    expect(await receive(handles, "/api/token/?x=1", {})).toBe(true);
    expect(await receive(handles, "/orders?x=/api/token/", {})).toBe(false);
    expect(handles({})).toBe(false);
  });
});
