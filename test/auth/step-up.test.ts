import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import * as forExpress from "../../src/adapters/express/index.ts";
import * as forFastify from "../../src/adapters/fastify/index.ts";
import * as forHono from "../../src/adapters/hono/index.ts";
import * as forNode from "../../src/adapters/node/index.ts";
import type { AuthenticationRequirement, Settings } from "../../src/index.ts";
import { type AuthNode, addUser, bearer, startNode } from "./node.ts";

let node: AuthNode;
afterEach(() => node.close());

async function start(settings: Partial<Settings> = {}) {
  node = await startNode(settings);
  const userId = await addUser(node.auth, "alice");
  const { access, session } = await node.auth.issue(userId, { amr: ["pwd"] });
  return { request: bearer(access), owner: { userId, sessionId: session.id } };
}

const tooOld = { maxAge: 60 };

describe.each<[string, Partial<Settings>]>([
  ["from memory", {}],
  ["with a lookup of the user", { checkUserIsActive: true }],
])("auth.check and auth.authenticate with a requirement, %s", (_, settings) => {
  it("accept a token that says enough, and refuse one that doesn't", async () => {
    const { request, owner } = await start(settings);
    expect(await node.auth.check(request, tooOld)).toMatchObject({ ok: true });
    expect(await node.auth.authenticate(request, { ...tooOld, amr: ["pwd"] })).toMatchObject(owner);
    const refused = await node.auth.check(request, { amr: ["otp"] });
    expect(refused.ok ? null : refused.response.status).toBe(401);
    await expect(node.auth.authenticate(request, { amr: ["otp"] })).rejects.toMatchObject({
      code: "confirmation_required",
      requirement: { amr: ["otp"] },
    });
    const { access, session } = await node.auth.confirm(owner, { amr: ["otp"] });
    expect(session).toMatchObject({ id: owner.sessionId, amr: ["pwd", "otp"] });
    expect(await node.auth.authenticate(bearer(access), { amr: ["otp"] })).toMatchObject({ amr: ["pwd", "otp"] });
  });
});

describe("auth.check and auth.authenticate", () => {
  it("refuse an option that they don't know, such as a misspelt requirement", async () => {
    const { request } = await start();
    const misspelt = { maxage: 60 } as AuthenticationRequirement;
    await expect(node.auth.authenticate(request, misspelt)).rejects.toThrow(
      "authenticate: maxage is not an option. Did you mean maxAge?",
    );
    const refused = await node.auth.check(request, misspelt);
    expect(refused.ok ? null : refused.response.status).toBe(500);
  });

  it("accept a request of Node as the options, which has names of its own", async () => {
    const { request } = await start();
    const message = Object.assign(new IncomingMessage(new Socket()), { method: "GET", ...request });
    expect(await node.auth.authenticate(new Headers(request.headers), message)).toMatchObject({ amr: ["pwd"] });
  });

  it("refuse a session whose user an identity provider has authenticated too long ago, until it is confirmed", async () => {
    const { owner } = await start();
    const { auth } = node;
    const now = Math.floor(Date.now() / 1_000);
    const issued = async (authTime: number) => bearer((await auth.issue(owner.userId, { authTime })).access);
    const old = await auth.check(await issued(now - 3_600), tooOld);
    expect(old.ok ? null : await old.response.json()).toMatchObject({ code: "confirmation_required" });
    expect(await auth.check(await issued(now), tooOld)).toMatchObject({ ok: true });
    const { session } = await auth.issue(owner.userId, { authTime: now - 3_600 });
    const { access } = await auth.confirm({ ...owner, sessionId: session.id }, { amr: ["otp"] });
    expect(await auth.check(bearer(access), tooOld)).toMatchObject({ ok: true });
  });

  it("refuse an actor if they require anything of the authentication", async () => {
    const { owner } = await start();
    const { access } = await node.auth.issue(owner.userId, { actor: "support/bob", amr: ["mfa"] });
    expect(await node.auth.check(bearer(access))).toMatchObject({ ok: true });
    for (const requirement of [tooOld, { amr: ["mfa"] }]) {
      const refused = await node.auth.check(bearer(access), requirement);
      expect(refused.ok ? null : [refused.response.status, await refused.response.json()]).toMatchObject([
        403,
        { code: "impersonated" },
      ]);
    }
  });
});

describe("auth.confirm", () => {
  it("refuses options that it doesn't know, and none at all", async () => {
    const { owner } = await start();
    const { auth } = node;
    await expect(auth.confirm(owner, { amr: ["otp"], acr: "x" } as never)).rejects.toThrow(
      /^confirm: acr is not an option/,
    );
    await expect(auth.confirm(owner, undefined as never)).rejects.toThrow(/^confirm: the options must be an object/);
  });
});

describe("requireUser", () => {
  const wrong: readonly AuthenticationRequirement[] = [
    { maxAge: 0 },
    { maxAge: Number.NaN },
    { amr: [] },
    { amr: [""] },
    { maxage: 60 } as AuthenticationRequirement,
    60 as AuthenticationRequirement,
    null as unknown as AuthenticationRequirement,
  ];
  it.each(wrong)("refuses the requirement %j when the route is made", async (requirement) => {
    await start();
    const { auth } = node;
    for (const create of [
      () => forExpress.requireUser(auth, requirement),
      () => forFastify.requireUser(auth, requirement),
      () => forHono.requireUser(auth, requirement),
      () => forNode.requireUser(auth, requirement),
    ]) {
      expect(create).toThrow(/^requireUser: /);
    }
  });
});
