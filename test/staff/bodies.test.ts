import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import type { z } from "zod";
import type * as api from "../../src/staff/api.ts";
import { auditEntrySchema } from "../../src/staff/routes/audit.ts";
import { healthSchema } from "../../src/staff/routes/health.ts";
import { keySchema } from "../../src/staff/routes/keys.ts";
import { meSchema } from "../../src/staff/routes/me.ts";
import { type nodeSchema, overviewSchema } from "../../src/staff/routes/overview.ts";
import { pageSchema } from "../../src/staff/routes/responses.ts";
import { sessionSchema } from "../../src/staff/routes/sessions.ts";
import { userDetailSchema, userSchema } from "../../src/staff/routes/users.ts";
import { readOperations } from "./operations.ts";
import { createStaffScene, type StaffScene } from "./setup.ts";

type DeepReadonly<T> = T extends (infer E)[] | readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;
type Sent<S extends z.ZodType> = DeepReadonly<z.infer<S>>;

const secrets = {
  pepper: "pepper-planted-0123456789abcdef",
  webhookSecret: Buffer.from("webhook-planted-0123456789abcdef").toString("base64"),
  webhookQuery: "query-planted-0123456789",
  signingKey: "signing-planted-0123456789abcdef-0123456789abcdef",
  password: "a long password",
};

let scene: StaffScene;
let ada: { id: string; access: string };
beforeEach(async () => {
  scene = await createStaffScene({
    signingKey: secrets.signingKey,
    passwordPeppers: [`p1:${secrets.pepper}`],
    webhookSecret: secrets.webhookSecret,
    webhookUrl: `http://127.0.0.1:9/hook?token=${secrets.webhookQuery}`,
  });
  ada = await scene.addUserWithPassword("ada", "admin");
});
afterEach(() => scene.close());

describe("the bodies of the staff API", () => {
  it("have the types that the console knows", () => {
    expectTypeOf<Sent<typeof meSchema>>().toEqualTypeOf<DeepReadonly<api.StaffMe>>();
    expectTypeOf<Sent<typeof userSchema>>().toEqualTypeOf<DeepReadonly<api.StaffUser>>();
    expectTypeOf<Sent<typeof userDetailSchema>>().toEqualTypeOf<DeepReadonly<api.StaffUserDetail>>();
    expectTypeOf<Sent<typeof sessionSchema>>().toEqualTypeOf<DeepReadonly<api.StaffSession>>();
    expectTypeOf<Sent<typeof auditEntrySchema>>().toEqualTypeOf<DeepReadonly<api.StaffAuditEntry>>();
    expectTypeOf<Sent<typeof nodeSchema>>().toEqualTypeOf<DeepReadonly<api.StaffNode>>();
    expectTypeOf<Sent<typeof overviewSchema>>().toEqualTypeOf<DeepReadonly<api.StaffOverview>>();
    expectTypeOf<Sent<typeof healthSchema>>().toEqualTypeOf<DeepReadonly<api.StaffHealth>>();
    expectTypeOf<Sent<typeof keySchema>>().toEqualTypeOf<DeepReadonly<api.StaffKey>>();
  });

  it("are what the schemas of the OpenAPI document say, without another field", async () => {
    const bob = await scene.addUserWithPassword("bob");
    await scene.auth.users.disable(bob.id, { client: { actor: "ada", note: "left" } });
    const schemas: readonly (readonly [string, z.ZodType])[] = [
      ["me/", meSchema],
      ["users/", pageSchema(userSchema)],
      [`users/${bob.id}/`, userDetailSchema],
      ["sessions/", pageSchema(sessionSchema)],
      ["audit/", pageSchema(auditEntrySchema)],
      ["overview/", overviewSchema],
      ["health/", healthSchema],
    ];
    for (const [path, schema] of schemas) {
      const { status, body } = await scene.call(ada.access, "GET", path);
      expect([path, status, schema.parse(body)]).toEqual([path, 200, body]);
    }
  });

  it("have no secret, hash or token in them", async () => {
    const bob = await scene.addUserWithPassword("bob");
    const { access, refresh } = await scene.auth.login({ username: "bob", password: secrets.password });
    const row = await scene.store.users.findById(bob.id);
    const planted = [...Object.values(secrets), row?.passwordHash ?? "", access, refresh];
    expect(planted.every((secret) => secret.length > 10)).toBe(true);
    const expectNone = (name: string, text: string) => {
      expect([name, text.length > 1]).toEqual([name, true]);
      expect([name, planted.filter((secret) => text.includes(secret))]).toEqual([name, []]);
    };
    const [session] = await scene.auth.sessions.list(bob.id);
    const filling = { userId: bob.id, username: "bob", sessionId: session?.id ?? "", kid: "none" };
    const stream = await scene.request(ada.access, "audit/stream/");
    const operations = await readOperations(scene);
    // What is deleted last can be shown before.
    const inOrder = operations.toSorted(
      (one, other) => Number(one.method === "DELETE") - Number(other.method === "DELETE"),
    );
    for (const operation of inOrder) {
      if (operation.name === "GET audit/stream/") continue;
      const body = operation.toBody(filling);
      const response = await scene.staff.fetch(
        new Request(`http://localhost/api/admin/${operation.toPath(filling)}`, {
          method: operation.method,
          headers: { Authorization: `Bearer ${ada.access}`, "Content-Type": "application/json" },
          ...(body && { body: JSON.stringify(body) }),
        }),
      );
      expectNone(operation.name, await response.text());
    }
    for (const path of ["schema/", "audit/export/?format=jsonl"]) expectNone(path, await scene.text(ada.access, path));
    // What was planted in requests that fail is in no error either.
    const wrong = { jti: access, ip: refresh, password: secrets.password, username: "ada", reason: "x" };
    for (const path of ["tokens/revoke/", "addresses/unlock/", "users/", "sessions/revoke/"]) {
      const answer = await scene.call(ada.access, "POST", path, wrong);
      expectNone(path, JSON.stringify(answer.body));
    }
    await scene.auth.users.delete(ada.id);
    expectNone("GET audit/stream/", await stream.text());
  });
});

describe("health and settings", () => {
  it("say what was found on this node, and its settings", async () => {
    const { body } = await scene.call(ada.access, "GET", "health/");
    const found = (name: string) => body.checks.find((check: { name: string }) => check.name === name);
    expect(found("schema")).toEqual({ name: "schema", level: "pass", text: "Up to date." });
    expect(found("password hashes")).toMatchObject({ level: "pass", text: expect.stringMatching(/^1 /) });
    const settings = (await scene.call(ada.access, "GET", "settings/")).body.results;
    expect(settings).toEqual(body.settings);
    expect(settings).toContainEqual({ name: "reuseInterval", value: "10", is_set: false });
    expect(settings).toContainEqual({ name: "passwordTimeCost", value: "2", is_set: false });
    expect(settings).toContainEqual({ name: "trustedProxies", value: "none", is_set: false });
    const names = settings.map(({ name }: { name: string }) => name);
    for (const name of ["passwordPeppers", "webhookSecret", "webhookUrl", "keyEncryptionKey", "signingKey"]) {
      expect(names).not.toContain(name);
    }
  });

  it("run the checks once for requests that come together", async () => {
    let runs = 0;
    const { countHashForms } = scene.store.users;
    Object.assign(scene.store.users, {
      countHashForms: () => {
        runs += 1;
        return countHashForms.call(scene.store.users);
      },
    });
    await Promise.all([1, 2, 3].map(() => scene.call(ada.access, "GET", "health/")));
    expect(runs).toBe(1);
  });
});

describe("keys", () => {
  it("show the key in the settings as the one that signs", async () => {
    const { body } = await scene.call(ada.access, "GET", "keys/");
    expect(body.results.filter(({ state }: api.StaffKey) => state === "signing")).toHaveLength(1);
    for (const key of body.results) expect(keySchema.parse(key)).toEqual(key);
  });

  it("show the keys of the ring and their states", async () => {
    const ring = await createStaffScene({
      signingKey: undefined,
      keyEncryptionKey: randomBytes(32).toString("base64url"),
      algorithm: "ES256",
      issuer: "https://auth.example.com",
      audience: "api",
    });
    try {
      const admin = await ring.addUser("ada", "admin");
      const { body } = await ring.call(admin.access, "GET", "keys/");
      const states = body.results.map(({ alg, state }: api.StaffKey) => [alg, state]);
      expect(states).toContainEqual(["ES256", "signing"]);
      expect(states.some(([, state]: [string, string]) => state === "secret")).toBe(true);
    } finally {
      await ring.close();
    }
  });
});
