/**
 * Every response agrees with the OpenAPI document: its status, its headers and its body are documented. The requests are made
 * from the document's operations, so a new route is tested as soon as it is in the route table.
 */
import { randomBytes } from "node:crypto";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import type { Store } from "../../../src/core/store/index.ts";
import { frameType } from "../../../src/flows/feed-readers.ts";
import { endpoints } from "../../../src/http/routes/index.ts";
import { createHealth } from "../../../src/server/handlers/health.ts";
import { alice, createTestAuth, type TestAuth, type TestAuthOptions } from "../../support/auth.ts";
import { type Browser, createBrowser, ownOrigin } from "../../support/browser.ts";
import { addService, type TestService } from "../../support/services.ts";
import type { Pair } from "../../support/wire.ts";
import { sendFrom } from "../guesses.ts";
import {
  createValidator,
  type DocumentedOperation,
  type OpenApiDocument,
  type Operation,
  toOperations,
} from "./validator.ts";

const validator = createValidator();

/** The statuses that were seen, as "METHOD path status". */
const seen = new Set<string>();

let document: OpenApiDocument;
let operations: readonly Operation[];
beforeAll(async () => {
  const auth = await createTestAuth();
  document = (await (await auth.send("GET", "/api/schema/")).json()) as OpenApiDocument;
  operations = toOperations(document);
  await auth.close();
});

/** Expects that a response to one of the operations agrees with the document, and returns it. */
async function expectDocumented({ method, path, operation }: Operation, response: Response): Promise<Response> {
  const what = `${method} ${path} ${response.status}`;
  const faults = await validator.findFaults(operation, response);
  // A stream has no end.
  const isStream = /^text\/event-stream|^application\/vnd/.test(response.headers.get("Content-Type") ?? "");
  const body = isStream ? "a stream" : await response.clone().text();
  expect(faults, `${what}: ${body}`).toEqual([]);
  seen.add(what);
  return response;
}

/** Returns the operations that the library answers. */
const toOwn = () => operations.filter(({ operation }) => operation.tags === undefined);
const find = (operationId: string): Operation => {
  const found = operations.find(({ operation }) => operation.operationId === operationId);
  if (found === undefined) throw new Error(`no operation ${operationId}`);
  return found;
};

/**
 * Somebody who can send requests: alice twice, in a browser and with a pair, a session of hers to name in a path, and a service.
 */
interface Scene {
  readonly auth: TestAuth;
  readonly browser: Browser;
  readonly pair: Pair;
  readonly otherId: string;
  readonly service: TestService;
  /** The ticket of a login that waits for a second step. */
  readonly ticket: string;
}

/** Whether a login needs a second step. */
let needsStep = false;

/** How many scenes there have been: each has a service of its own. */
let scenes = 0;

let auth: TestAuth;
/** Whether every call of the store fails. */
let isDown = false;

async function start({ settings, ...options }: TestAuthOptions = {}): Promise<void> {
  const secondStep = {
    afterPassword: () => (needsStep ? { methods: ["otp"] } : null),
    verifySecondFactor: (_: unknown, { code }: { readonly code?: unknown }) => (code === "1" ? ["otp"] : null),
  };
  auth = await createTestAuth({ wrapStore: withSwitch, ...options, settings: { ...secondStep, ...settings } });
}

/** Returns a store that fails while `isDown`. */
function withSwitch(store: Store): Store {
  const wrap = <T extends object>(part: T): T =>
    new Proxy(part, {
      get: (target, name) => {
        const member = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return async (...args: unknown[]) => {
          if (isDown) throw new StoreUnavailableError("away");
          return member.apply(target, args);
        };
      },
    });
  return {
    ...store,
    users: wrap(store.users),
    sessions: wrap(store.sessions),
    throttle: wrap(store.throttle),
    tickets: wrap(store.tickets),
    services: wrap(store.services),
    keys: wrap(store.keys),
    audit: wrap(store.audit),
  };
}

beforeEach(() => start());
afterEach(async () => {
  isDown = false;
  await auth.close();
});

async function createScene(): Promise<Scene> {
  const browser = createBrowser(auth);
  await browser.logIn();
  const other = await auth.logIn();
  const service = await addService(auth, ["introspect", "revoke", "feed"], `service-${scenes++}`);
  const otherId = auth.deps.tokens.verifyRefresh(other.refresh).sessionId;
  const pair = await auth.logIn();
  needsStep = true;
  const { ticket } = (await (await auth.send("POST", "/api/token/", { body: alice })).json()) as { ticket: string };
  needsStep = false;
  return { auth, browser, pair, otherId, service, ticket };
}

const credentials = ["nothing", "a bearer token", "cookies", "a service's credential"] as const;
type Credentials = (typeof credentials)[number];

interface Send {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  /** Default: a valid one. */
  readonly query?: string;
}

/** Sends a request to an operation, and expects that the response is documented. */
async function send(
  operation: Operation,
  scene: Scene,
  by: Credentials,
  { body, headers = {}, method = operation.method, query }: Send = {},
): Promise<Response> {
  const path = operation.path.replace("{id}", scene.otherId) + (query ?? toValidQuery(operation));
  const authorization = {
    nothing: {},
    "a bearer token": { Authorization: `Bearer ${scene.pair.access}` },
    cookies: {},
    "a service's credential": scene.service.basic,
  }[by];
  const response =
    by === "cookies"
      ? await scene.browser.send(method, path, { body, headers })
      : await scene.auth.send(method, path, { body, headers: { ...authorization, ...headers } });
  return expectDocumented(operation, response);
}

const isForServices = ({ security }: DocumentedOperation) => security.some((scheme) => "serviceBasic" in scheme);

const newPassword = "another horse battery staple";

/** The body of a valid request, by operation. Those that are not here have none. */
const validBodies: Readonly<Record<string, (scene: Scene) => unknown>> = {
  obtainTokenPair: () => alice,
  continueTokenLogin: ({ ticket }) => ({ ticket, code: "1" }),
  refreshTokenPair: ({ pair }) => ({ refresh: pair.refresh }),
  verifyToken: ({ pair }) => ({ token: pair.refresh }),
  revokeTokenPair: ({ pair }) => ({ refresh: pair.refresh }),
  logIn: () => ({ ...alice, remember: false }),
  continueLogin: ({ ticket }) => ({ ticket, code: "1" }),
  refreshCookies: () => ({}),
  logOut: () => ({ scope: "all" }),
  labelSession: () => ({ label: "phone" }),
  revokeSession: () => ({}),
  changePassword: () => ({ current_password: alice.password, new_password: newPassword }),
  confirmSession: () => ({ password: alice.password }),
  introspectToken: ({ pair }) => ({ token: pair.access }),
  revokeToken: ({ pair }) => ({ token: pair.access }),
};

/** The query of a valid request, by operation. */
const validQueries: Readonly<Record<string, string>> = { acknowledgeRevocations: "?reader=r&after=x" };
const toValidQuery = ({ operation }: Operation) => validQueries[operation.operationId] ?? "";

/** The headers of a valid request, by operation. */
const validHeaders: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  checkRequest: { "X-Forwarded-Method": "GET" },
};
const toValidBody = ({ operation }: Operation, scene: Scene) => validBodies[operation.operationId]?.(scene);

/** Returns the credentials with which an operation succeeds. */
function toCredentials({ operation }: Operation): readonly Credentials[] {
  if (["logIn", "continueLogin"].includes(operation.operationId)) return ["cookies"];
  const schemes = operation.security.flatMap(Object.keys);
  if (schemes.includes("serviceBasic")) return ["a service's credential"];
  return schemes.length === 0
    ? ["nothing"]
    : credentials.filter((by) =>
        by === "cookies"
          ? schemes.some((scheme) => /cookie/i.test(scheme))
          : by === "a bearer token" && schemes.includes("bearer"),
      );
}

/** Bodies that no operation accepts, with their headers. */
const invalidBodies: readonly Send[] = [
  { body: "{", headers: { "Content-Type": "application/json" } },
  { body: "[]", headers: { "Content-Type": "application/json" } },
  { body: "null", headers: { "Content-Type": "application/json" } },
  { body: new Uint8Array([0x22, 0xff, 0x22]), headers: { "Content-Type": "application/json" } },
  { body: "hello", headers: { "Content-Type": "text/plain" } },
  { body: "x".repeat(16_385), headers: { "Content-Type": "application/json" } },
  { body: "--x", headers: { "Content-Type": "multipart/form-data; boundary=x" } },
  { body: {} },
  { body: { username: 1, password: null, refresh: [], token: {}, scope: "x", label: "x".repeat(101) } },
  { body: { username: "\0", password: "wrong", refresh: "a.b.c", token: "a.b.c", label: "\0" } },
  { body: { username: "alice", password: "wrong" } },
  { body: { current_password: "wrong", new_password: "short" } },
  { body: { current_password: "wrong", new_password: newPassword } },
];

/** Headers that most operations refuse. */
const invalidHeaders: readonly Readonly<Record<string, string>>[] = [
  { Authorization: "Bearer" },
  { Authorization: "Bearer a.b.c" },
  { Authorization: "Basic YTpi" },
  { Cookie: "__Host-Http-access=a; __Host-Http-access=b" },
  { Cookie: "__Secure-refresh=a; __Secure-refresh=b" },
  { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" },
  { "X-CSRFToken": "wrong" },
  { "Idempotency-Key": "short" },
];

describe("the OpenAPI document", () => {
  it("has an operation for every route, and every route for an operation", () => {
    expect(toOwn()).toHaveLength(endpoints.length + 1);
    const withBodies = toOwn().filter(({ operation }) => operation.requestBody !== undefined);
    expect(Object.keys(validBodies).sort()).toEqual(withBodies.map(({ operation }) => operation.operationId).sort());
  });

  it("documents every response to a valid request", async () => {
    for (const operation of toOwn()) {
      for (const by of toCredentials(operation)) {
        await auth.close();
        await start({ settings: { clearSiteData: true, issuer: "https://auth.example" } });
        const scene = await createScene();
        const headers = validHeaders[operation.operation.operationId] ?? {};
        const response = await send(operation, scene, by, { body: toValidBody(operation, scene), headers });
        expect([operation.operation.operationId, by, response.ok]).toEqual([operation.operation.operationId, by, true]);
      }
    }
  });

  it.each(credentials)("documents every response to an invalid request with %s", async (by) => {
    await auth.close();
    // Limits would refuse most of the requests.
    await start({ settings: { loginFailuresBeforeDelay: 0, accountFailuresBeforeDelay: 0, maxLoginFailures: 0 } });
    let scene = await createScene();
    /** Sends a request. What is accepted, or sets cookies, would change the scene for the next request. */
    const sendThere = async (operation: Operation, request: Send) => {
      const response = await send(operation, scene, by, request);
      const isAccepted = response.ok && operation.method !== "GET";
      if (isAccepted || response.headers.getSetCookie().length > 0) scene = await createScene();
    };
    for (const operation of toOwn()) {
      const { operationId } = operation.operation;
      for (const invalid of invalidBodies) {
        await sendThere(operation, operation.method === "GET" ? { headers: invalid.headers ?? {} } : invalid);
      }
      for (const headers of invalidHeaders) {
        const valid = toValidBody(operation, scene);
        // A password that was changed would refuse the next login.
        const body =
          operationId === "changePassword" ? { current_password: "wrong", new_password: newPassword } : valid;
        await sendThere(operation, { headers, ...(body === undefined ? {} : { body }) });
      }
    }
  });

  it("documents every response to a method that a path does not have", async () => {
    const scene = await createScene();
    for (const operation of toOwn().filter(({ operation }) => "405" in operation.responses)) {
      const has = Object.keys(document.paths[operation.path] ?? {}).map((method) => method.toUpperCase());
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"].filter((method) => !has.includes(method))) {
        expect((await send(operation, scene, "nothing", { method })).status).toBe(405);
      }
    }
  });

  it("documents every response while the store does not answer", async () => {
    for (const operation of toOwn()) {
      for (const by of toCredentials(operation)) {
        const scene = await createScene();
        isDown = true;
        await send(operation, scene, by, { body: toValidBody(operation, scene) });
        isDown = false;
      }
    }
  });

  it("documents every response while the revocations are stale", async () => {
    const scene = await createScene();
    auth.clock.stall(60);
    for (const operation of toOwn()) {
      for (const by of credentials) await send(operation, scene, by, { body: toValidBody(operation, scene) });
    }
  });

  it("documents the 503 of the check endpoint and of a stream while the revocations are stale", async () => {
    await auth.close();
    await start({ settings: { onStale: "refuse" } });
    const scene = await createScene();
    auth.goStale();
    for (const operationId of ["checkRequest", "followSession"]) {
      expect((await send(find(operationId), scene, "a bearer token")).status).toBe(503);
    }
  });

  it("documents every response to a body that can't be read", async () => {
    for (const operation of toOwn().filter(({ operation }) => operation.requestBody !== undefined)) {
      const { browser, otherId, service } = await createScene();
      const unreadable = createBrowser({
        send: (method, path, { headers } = {}) => {
          const body = new ReadableStream({ pull: (controller) => controller.error(new Error("the client is gone")) });
          const all = new Headers(headers);
          if (isForServices(operation.operation)) {
            all.set("Authorization", service.basic.Authorization);
          }
          const init = { method, body, duplex: "half", headers: all } as RequestInit;
          return auth.handler.fetch(new Request(`${ownOrigin}${path}`, init));
        },
      });
      for (const name of browser.cookieNames()) unreadable.setCookie(name, browser.cookie(name) ?? "");
      const response = await unreadable.send(operation.method, operation.path.replace("{id}", otherId));
      expect((await expectDocumented(operation, response)).status).toBe(400);
    }
  });

  it("documents every response to too many requests", async () => {
    await auth.close();
    const limits = {
      maxSessionStreams: 1,
      refreshLimit: 1,
      verifyLimit: 1,
      blacklistLimit: 1,
      serviceFailureLimit: 1,
      maxLoginFailures: 2,
    };
    await start({ settings: limits });
    const limited = toOwn().filter(({ operation }) => "429" in operation.responses);
    // Made before the account is locked.
    const scenes: Scene[] = [];
    for (const _ of limited) scenes.push(await createScene());
    for (const [i, operation] of limited.entries()) {
      const scene = scenes[i] as Scene;
      const sent = { ...auth, send: sendFrom(auth, "192.0.2.9") };
      const wrong = { password: "wrong", current_password: "wrong", code: "wrong" };
      const body = { ...(toValidBody(operation, scene) as object), ...wrong };
      const by = operation.operation.security.some((scheme) => "bearer" in scheme) ? "a bearer token" : "nothing";
      const browser = createBrowser(sent);
      await browser.get("/api/auth/csrf/");
      const statuses: number[] = [];
      while (statuses.length < 6 && statuses.at(-1) !== 429) {
        const isLogin = ["logIn", "continueLogin"].includes(operation.operation.operationId);
        const attempt = isLogin ? send(operation, { ...scene, browser }, "cookies", { body }) : null;
        const isForService = isForServices(operation.operation);
        const headers: Record<string, string> = isForService ? { Authorization: "Bearer wrong" } : {};
        const request = operation.method === "GET" ? { headers } : { body, headers };
        statuses.push((await (attempt ?? send(operation, { ...scene, auth: sent }, by, request))).status);
      }
      expect([operation.operation.operationId, statuses.at(-1)]).toEqual([operation.operation.operationId, 429]);
    }
  });

  it("documents every response about a session that is over or another user's", async () => {
    const scene = await createScene();
    for (const operationId of ["labelSession", "revokeSession"]) {
      const operation = find(operationId);
      const unknown = { ...scene, otherId: "019b7a5e-0000-7000-8000-00000000000a" };
      expect((await send(operation, unknown, "a bearer token", { body: toValidBody(operation, scene) })).status).toBe(
        404,
      );
    }
    await auth.deps.flows.revokeAllSessions();
    for (const operation of toOwn()) {
      for (const by of credentials) await send(operation, scene, by, { body: toValidBody(operation, scene) });
    }
  });

  it("documents both forms of the revocation feed, and the 400 of a wrong query", async () => {
    const scene = await createScene();
    const feed = find("readRevocations");
    for (const [query, headers, type] of [
      ["", {}, frameType],
      ["?wait=0.1&after=x", {}, frameType],
      ["?stream=1", {}, frameType],
      ["", { Accept: "application/json" }, "application/json"],
    ] as const) {
      const response = await send(feed, scene, "a service's credential", { query, headers });
      expect([query, response.status, response.headers.get("Content-Type")]).toEqual([query, 200, type]);
      await response.body?.cancel();
    }
    for (const [operationId, query] of [
      ["readRevocations", "?wait=26"],
      ["acknowledgeRevocations", "?after=x"],
    ] as const) {
      expect((await send(find(operationId), scene, "a service's credential", { query })).status).toBe(400);
    }
  });

  it("documents the 429 of too many streams of session events, and the 404 of none", async () => {
    await auth.close();
    await start({ settings: { maxSessionStreams: 1 } });
    const scene = await createScene();
    const stream = await send(find("followSession"), scene, "cookies");
    expect((await send(find("followSession"), scene, "a bearer token")).status).toBe(429);
    await stream.body?.cancel();
    await auth.close();
    await start({ settings: { maxSessionStreams: 0 } });
    expect((await send(find("followSession"), await createScene(), "cookies")).status).toBe(404);
  });

  it("documents the 403 of a service without the scope", async () => {
    const service = await addService(auth, [], "idle");
    const scene = { ...(await createScene()), service };
    for (const operation of toOwn().filter(
      ({ operation }) => "403" in operation.responses && isForServices(operation),
    )) {
      const body = toValidBody(operation, scene);
      expect((await send(operation, scene, "a service's credential", { body })).status).toBe(403);
    }
  });

  it("documents every response of the documents that caches may keep", async () => {
    await auth.close();
    await start({ settings: { issuer: "https://auth.example" } });
    const scene = await createScene();
    for (const operationId of ["getJwks", "getServerMetadata"]) {
      const operation = find(operationId);
      const etag = (await send(operation, scene, "nothing")).headers.get("ETag") ?? "";
      expect((await send(operation, scene, "nothing", { headers: { "If-None-Match": etag } })).status).toBe(304);
    }
  });

  it("documents the 503 of public keys that are not loaded yet", async () => {
    await auth.close();
    await start({
      given: { signingKey: undefined },
      settings: { keyEncryptionKey: randomBytes(32).toString("base64url") },
    });
    isDown = true;
    const response = await auth.send("GET", "/.well-known/jwks.json");
    expect((await expectDocumented(find("getJwks"), response)).status).toBe(503);
  });

  it("documents the answers to a login by a form", async () => {
    const { browser } = await createScene();
    const token = browser.cookie("__Host-csrftoken") ?? "";
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    for (const password of ["wrong", alice.password]) {
      const fields = { ...alice, password, csrfmiddlewaretoken: token, failed: "/login" };
      const response = await browser.post("/api/auth/login/", new URLSearchParams(fields).toString(), headers);
      expect((await expectDocumented(find("logIn"), response)).status).toBe(303);
    }
  });

  it("documents the answers to a login that needs a second step, and the 404 of its routes", async () => {
    needsStep = true;
    const response = await auth.send("POST", "/api/token/", { body: alice });
    needsStep = false;
    expect((await expectDocumented(find("obtainTokenPair"), response)).status).toBe(401);
    const { browser } = await createScene();
    const late = await browser.post("/api/auth/login/continue/", { ticket: "tpl_x" });
    expect((await expectDocumented(find("continueLogin"), late)).status).toBe(401);
    const lateToken = await auth.send("POST", "/api/token/continue/", { body: { ticket: "tpl_x" } });
    expect((await expectDocumented(find("continueTokenLogin"), lateToken)).status).toBe(401);
    await auth.close();
    await start({ settings: { afterPassword: undefined, verifySecondFactor: undefined } });
    const missing = await auth.send("POST", "/api/auth/login/continue/", { body: {} });
    expect((await expectDocumented(find("continueLogin"), missing)).status).toBe(404);
    const missingToken = await auth.send("POST", "/api/token/continue/", { body: {} });
    expect((await expectDocumented(find("continueTokenLogin"), missingToken)).status).toBe(404);
  });

  it("documents the 404 of a confirmation if the application doesn't verify passwords", async () => {
    await auth.close();
    await start({ settings: { findUser: () => Promise.resolve(null) } });
    const response = await auth.send("POST", "/api/auth/confirm/", { body: {} });
    expect((await expectDocumented(find("confirmSession"), response)).status).toBe(404);
  });

  it("documents the 404 of a password that the application manages itself", async () => {
    await auth.close();
    await start({
      settings: { findUser: () => Promise.resolve(null), verifyCredentials: () => Promise.resolve(null) },
    });
    const response = await auth.send("POST", "/api/auth/password/", { body: {} });
    expect((await expectDocumented(find("changePassword"), response)).status).toBe(404);
  });

  it("documents every response of the health checks", async () => {
    for (const health of [{ ok: true }, { ok: false, reason: "the store does not answer" }] as const) {
      const handler = createHealth({ health: () => Promise.resolve(health) });
      for (const operation of operations.filter(({ operation }) => operation.tags !== undefined)) {
        for (const method of ["GET", "POST"]) {
          await expectDocumented(
            operation,
            await handler.fetch(new Request(`${ownOrigin}${operation.path}`, { method })),
          );
        }
      }
    }
  });

  it("documents no status that the tests above have not seen", () => {
    const documented = operations.flatMap(({ method, path, operation }) =>
      Object.keys(operation.responses).map((status) => `${method} ${path} ${status}`),
    );
    expect(documented.filter((status) => !seen.has(status))).toEqual([]);
  });
});
