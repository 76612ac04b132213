import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createConsole } from "../../src/staff/index.ts";
import { createValidator } from "../http/openapi/validator.ts";
import { type Filling, readOperations, type StaffOperation } from "./operations.ts";
import { createStaffScene, type StaffScene } from "./setup.ts";

/* What holds for every endpoint of the staff API. The endpoints come from its own document. */

const trusted = "https://app.example.com";

let scene: StaffScene;
let ada: { id: string; access: string };
let operations: readonly StaffOperation[];
let filling: Filling;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  scene = await createStaffScene({ trustedOrigins: [trusted] });
  await scene.addUser("root", "admin");
  ada = await scene.addUser("ada", "admin");
  operations = await readOperations(scene);
  filling = await addTarget("target");
});
afterEach(async () => {
  await scene.close();
  vi.useRealTimers();
});

async function addTarget(username: string): Promise<Filling> {
  const { id: userId } = await scene.addUser(username);
  const [session] = await scene.auth.sessions.list(userId);
  return { userId, username, sessionId: session?.id ?? "", kid: "none" };
}

const origin = "http://localhost";

/** Sends a request as ada. */
async function send(path: string, { method = "GET", body, ...more }: Sent = {}): Promise<Response> {
  return scene.staff.fetch(
    new Request(`${origin}/api/admin/${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${ada.access}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...more.headers,
      },
      ...(body === undefined ? {} : { body }),
    }),
  );
}

interface Sent {
  readonly method?: string;
  readonly body?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends an operation as ada, with a body that makes it do something. */
function perform(operation: StaffOperation, path = operation.toPath(filling), headers = {}): Promise<Response> {
  const body = operation.toBody(filling);
  return send(path, { method: operation.method, headers, ...(body && { body: JSON.stringify(body) }) });
}

const reads = () => operations.filter(({ method }) => method === "GET");
const changes = () => operations.filter(({ method }) => method !== "GET");

/** Returns everything that can change, to compare it. */
async function readState(): Promise<unknown> {
  const part = { from: null, isBackward: false, limit: 1_000, scan: 10_000 };
  const { users, sessions, audit } = scene.store.staff;
  return [await users({}, part), await sessions({}, part), (await audit({}, part)).rows.length];
}

describe("every path of the staff API", () => {
  it("is known with and without a slash at its end, for each method alike", async () => {
    expect(operations.length).toBeGreaterThan(25);
    for (const operation of operations) {
      const statuses: number[] = [];
      for (const form of [operation.path, operation.path.replace(/\/$/, "")]) {
        const path = form.slice("/api/admin/".length).replaceAll(/\{\w+\}/g, "nobody");
        const response = await perform(
          operation,
          `${path}${operation.name === "GET audit/export/" ? "?format=csv" : ""}`,
        );
        await response.body?.cancel();
        statuses.push(response.status);
      }
      expect([operation.name, statuses]).toEqual([operation.name, [statuses[0], statuses[0]]]);
    }
  });

  it("says in OPTIONS and in a 405 which methods it has, without authentication", async () => {
    for (const path of new Set(operations.map((operation) => operation.path))) {
      const each = operations.filter((operation) => operation.path === path);
      const url = `${origin}${path.replaceAll(/\{\w+\}/g, "nobody")}`;
      const methods = each.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method]));
      const options = await scene.staff.fetch(new Request(url, { method: "OPTIONS" }));
      const put = await scene.staff.fetch(new Request(url, { method: "PUT" }));
      for (const response of [options, put]) {
        const allowed = response.headers.get("Allow")?.split(", ").sort();
        expect([path, allowed]).toEqual([path, [...methods, "OPTIONS"].sort()]);
      }
      expect([path, options.status, put.status]).toEqual([path, 204, 405]);
    }
  });

  it("answers HEAD like GET, without a body, and records and opens nothing", async () => {
    for (const operation of reads()) {
      const before = await readState();
      // More often than there may be streams on a node.
      for (let n = 0; n < (operation.name === "GET audit/stream/" ? 60 : 1); n++) {
        const response = await send(operation.toPath(filling), { method: "HEAD" });
        expect([operation.name, response.status, response.body]).toEqual([operation.name, 200, null]);
      }
      expect([operation.name, await readState()]).toEqual([operation.name, before]);
    }
    for (const operation of changes().filter(({ path }) => !reads().some((read) => read.path === path))) {
      const response = await send(operation.toPath(filling), { method: "HEAD" });
      expect([operation.name, response.status]).toEqual([operation.name, 405]);
    }
  });

  it("has no CORS, not even for a trusted origin, whatever the answer is", async () => {
    const headers = { Origin: trusted, "Access-Control-Request-Method": "POST" };
    const answers: (readonly [string, Response])[] = [];
    for (const operation of operations) {
      const path = operation.toPath(filling);
      answers.push([`OPTIONS ${operation.name}`, await send(path, { method: "OPTIONS", headers })]);
      answers.push([operation.name, await perform(operation, path, { Origin: trusted })]);
      answers.push([
        `anonymous ${operation.name}`,
        await perform(operation, path, { Origin: trusted, Authorization: "" }),
      ]);
    }
    for (const [name, response] of answers) {
      await response.body?.cancel();
      const found = [...response.headers.keys()].filter((header) => header.startsWith("access-control-"));
      expect([name, found]).toEqual([name, []]);
    }
  });
});

describe("every change of the staff API", () => {
  it.each([
    ["text/plain", () => ({ body: '{"reason":"x"}', headers: { "Content-Type": "text/plain" } })],
    ["no media type", () => ({ body: new TextEncoder().encode('{"reason":"x"}'), headers: { "Content-Type": "" } })],
    [
      "application/x-www-form-urlencoded",
      () => ({ body: "reason=x", headers: { "Content-Type": "application/x-www-form-urlencoded" } }),
    ],
    ["multipart/form-data", () => ({ body: "--x--", headers: { "Content-Type": "multipart/form-data; boundary=x" } })],
    ["application/jsonx", () => ({ body: '{"reason":"x"}', headers: { "Content-Type": "application/jsonx" } })],
  ] as const)("refuses a body of %s, and says so", async (_, toSent) => {
    const before = await readState();
    for (const operation of changes()) {
      const response = await send(operation.toPath(filling), { method: operation.method, ...toSent() });
      const { detail } = (await response.json()) as { detail: string };
      expect([operation.name, response.status]).toEqual([operation.name, 415]);
      expect(detail).toMatch(/^Unsupported media type ".*" in request\.$/);
    }
    expect(await readState()).toEqual(before);
  });

  it.each(["", "{", "[]", "null", '"x"', "{}", `{"reason":"${"x".repeat(501)}"}`])(
    "refuses the body %j with a message, and changes nothing",
    async (body) => {
      const before = await readState();
      for (const operation of changes()) {
        const response = await send(operation.toPath(filling), { method: operation.method, body });
        expect([operation.name, [400, 413].includes(response.status)]).toEqual([operation.name, true]);
        expect(Object.keys((await response.json()) as object).length).toBeGreaterThan(0);
      }
      expect(await readState()).toEqual(before);
    },
  );

  it("refuses a body that is too large", async () => {
    for (const operation of changes()) {
      const body = JSON.stringify({ reason: "x".repeat(20_000) });
      const response = await send(operation.toPath(filling), { method: operation.method, body });
      expect([operation.name, response.status]).toEqual([operation.name, 413]);
    }
  });

  it("answers as the document says, with success and with refusals", async () => {
    const validator = createValidator();
    const eve = await scene.addUser("eve", "viewer");
    for (const [n, operation] of changes().entries()) {
      filling = await addTarget(`target${n}`);
      const answers = [
        await perform(operation, operation.toPath(filling), { Authorization: `Bearer ${eve.access}` }),
        await perform(operation, operation.toPath(filling), { Authorization: "Bearer wrong" }),
        await perform(operation, operation.toPath()),
        await send(operation.toPath(filling), {
          method: operation.method,
          body: "x",
          headers: { "Content-Type": "a/b" },
        }),
        await send(operation.toPath(filling), { method: operation.method, body: "{}" }),
        await perform(operation),
      ];
      for (const response of answers) {
        const faults = await validator.findFaults(operation.operation, response);
        expect([operation.name, response.status, faults]).toEqual([operation.name, response.status, []]);
      }
      const isOfRing = operation.name.includes("keys/");
      expect([operation.name, answers.at(-1)?.status]).toEqual([operation.name, isOfRing ? 409 : 200]);
    }
  });
});

describe("a member of the staff, with cleanup never run,", () => {
  const password = "another long password";
  it.each([
    ["whose token has expired", () => vi.setSystemTime(Date.now() + 1_801_000), 401, "token_not_valid"],
    ["whose session was revoked", () => scene.auth.sessions.revokeAllForUser(ada.id), 401, "token_not_valid"],
    ["who was disabled", () => scene.auth.users.disable(ada.id), 401, "token_not_valid"],
    ["who was deleted", () => scene.auth.users.delete(ada.id), 401, "token_not_valid"],
    ["whose password was set", () => scene.auth.users.setPassword(ada.id, password), 401, "token_not_valid"],
    ["who lost the role", () => scene.auth.users.update(ada.id, { role: null }), 403, "not_staff"],
  ] as const)("%s is refused at the next request, by every endpoint", async (_, change, status, code) => {
    expect((await send("me/")).status).toBe(200);
    await change();
    const before = await scene.store.staff.users({}, { from: null, isBackward: false, limit: 100, scan: 100 });
    for (const operation of operations) {
      const response = await perform(operation);
      const body = (await response.json()) as { code: string };
      expect([operation.name, response.status, body.code]).toEqual([operation.name, status, code]);
    }
    expect(await scene.store.staff.users({}, { from: null, isBackward: false, limit: 100, scan: 100 })).toEqual(before);
    expect(await scene.auth.sessions.list(filling.userId)).toHaveLength(1);
  });

  it("who is demoted to viewer changes nothing more", async () => {
    await scene.auth.users.update(ada.id, { role: "viewer" });
    for (const operation of changes()) {
      const response = await perform(operation);
      const { code } = (await response.json()) as { code: string };
      expect([operation.name, response.status, code]).toEqual([operation.name, 403, "permission_denied"]);
    }
  });
});

describe("createConsole", () => {
  const getMe = async (staff: Pick<StaffScene["staff"], "fetch">, path = "/api/admin/me/") => {
    const headers = { Authorization: `Bearer ${ada.access}` };
    return (await staff.fetch(new Request(`${origin}${path}`, { headers }))).status;
  };

  it("can be called twice for one auth, and each console is closed on its own", async () => {
    const second = createConsole(scene.auth, { path: "/staff", adminPath: "/staff-api" });
    expect([await getMe(scene.staff), await getMe(second, "/staff-api/me/")]).toEqual([200, 200]);
    expect([await getMe(second), await getMe(scene.staff, "/staff-api/me/")]).toEqual([404, 404]);
    const stream = await scene.request(ada.access, "audit/stream/");
    await second.close();
    expect([await getMe(scene.staff), stream.status]).toEqual([200, 200]);
    await stream.body?.cancel();
    // Its limits are its own too: the requests of one console don't count for the other.
    expect(await getMe(second, "/staff-api/me/")).toBe(200);
  });

  it("serves every endpoint at the path that it was given, and nothing at the default one", async () => {
    await scene.close();
    scene = await createStaffScene({ publicPath: "/account" }, undefined, { adminPath: "/internal/staff/v1" });
    ada = await scene.addUser("ada", "admin");
    const names = operations.map(({ name }) => name);
    operations = await readOperations(scene, "/internal/staff/v1");
    expect(operations.map(({ name }) => name)).toEqual(names);
    for (const operation of operations) {
      const body = operation.toBody(filling);
      const init = {
        method: operation.method,
        headers: { Authorization: `Bearer ${ada.access}`, "Content-Type": "application/json" },
        ...(body && { body: JSON.stringify(body) }),
      };
      const at = (base: string) => scene.staff.fetch(new Request(`${origin}${base}/${operation.toPath()}`, init));
      const [own, other] = [await at("/internal/staff/v1"), await at("/api/admin")];
      await own.body?.cancel();
      expect([operation.name, other.status, await other.json()]).toEqual([
        operation.name,
        404,
        { detail: "Not found.", code: "not_found" },
      ]);
      expect([operation.name, own.status === 405 || own.status === 401]).toEqual([operation.name, false]);
    }
  });
});
