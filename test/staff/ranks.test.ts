import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type OpenApiDocument, toOperations } from "../http/openapi/validator.ts";
import { createStaffScene, type StaffScene } from "./setup.ts";

/*
 * Nobody acts on a user of the same or a higher rank, whichever way a change reaches the user. The paths come from the API's own
 * document: a new change must be listed here before this test passes.
 */

let scene: StaffScene;
let target: { readonly id: string; readonly access: string; readonly sessionId: string; readonly jti: string };

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  scene = await createStaffScene();
  const found = await scene.addUser("target", "admin");
  const headers = new Headers({ Authorization: `Bearer ${found.access}` });
  const { sessionId, tokenId } = await scene.auth.authenticate(headers, { method: "GET" });
  target = { ...found, sessionId, jti: tokenId };
});
afterEach(async () => {
  await scene.close();
  vi.useRealTimers();
});

const reason = "laptop stolen, ticket 4411";
const password = "another long password";

/** The ways to change an admin, by the operation: what to send, and whether the answer to a refusal is per id. */
const ways: Readonly<Record<string, readonly (readonly [path: string, body: () => object])[]>> = {
  "PATCH users/{id}/": [["users/ID/", () => ({ email: "n@example.org" })]],
  "DELETE users/{id}/": [["users/ID/", () => ({ username: "target" })]],
  "POST users/{id}/disable/": [["users/ID/disable/", () => ({})]],
  "POST users/{id}/enable/": [["users/ID/enable/", () => ({})]],
  "POST users/{id}/unlock/": [["users/ID/unlock/", () => ({})]],
  "POST users/{id}/logout/": [["users/ID/logout/", () => ({})]],
  "POST users/{id}/set-password/": [["users/ID/set-password/", () => ({ password })]],
  "POST users/bulk/": ["disable", "enable", "unlock", "logout"].map(
    (action) => ["users/bulk/", () => ({ action, ids: [target.id] })] as const,
  ),
  "DELETE sessions/{id}/": [["sessions/SID/", () => ({})]],
  "POST sessions/revoke/": [
    ["sessions/revoke/", () => ({ filter: { user: target.id }, expected: 1 })],
    ["sessions/revoke/", () => ({ all: true })],
  ],
  "POST tokens/revoke/": [["tokens/revoke/", () => ({ jti: target.jti })]],
};

/** The changes that reach no user: only the role of the member counts. */
const withoutTarget = ["POST users/", "POST addresses/unlock/", "POST keys/rotate/", "POST keys/{kid}/retire/"];

const all = Object.entries(ways).flatMap(([operation, each]) =>
  each.map(([path, toBody]) => ({ method: operation.split(" ")[0] ?? "", path, toBody })),
);

const isRefused = ({ status, body }: { status: number; body: { results?: readonly { ok: boolean }[] } }) =>
  status === 403 || status === 401 || (status === 200 && body.results?.every(({ ok }) => !ok) === true);

const send = (access: string, { method, path, toBody }: (typeof all)[number]) =>
  scene.call(access, method, path.replace("SID", target.sessionId).replace("ID", target.id), { ...toBody(), reason });

/** Checks that an admin has everything that the admin had. */
async function expectUnchanged(): Promise<void> {
  expect(await scene.auth.users.find(target.id)).toMatchObject({ isActive: true, role: "admin", email: null });
  expect(await scene.auth.sessions.list(target.id)).toHaveLength(1);
  const headers = new Headers({ Authorization: `Bearer ${target.access}` });
  await expect(scene.auth.authenticate(headers, { method: "GET" })).resolves.toMatchObject({ tokenId: target.jti });
}

describe("the changes of the staff API", () => {
  it("are all in this test", async () => {
    const { access } = await scene.addUser("eve", "viewer");
    const document = JSON.parse(await scene.text(access, "schema/")) as OpenApiDocument;
    const documented = toOperations(document)
      .filter(({ path, method }) => path.startsWith("/api/admin/") && method !== "GET")
      .map(({ path, method }) => `${method} ${path.replace("/api/admin/", "")}`);
    expect(documented.sort()).toEqual([...Object.keys(ways), ...withoutTarget].sort());
  });

  it.each(all.map((way) => ({ ...way, body: way.path })))(
    "by support, never reach an admin: $method $path",
    async (way) => {
      const eve = await scene.addUser("eve", "support");
      expect(isRefused(await send(eve.access, way))).toBe(true);
      await expectUnchanged();
    },
  );

  it.each(all)("by an unconfirmed admin, never reach an admin: $method $path", async (way) => {
    const ada = await scene.addUser("ada", "admin");
    vi.setSystemTime(Date.now() + 700_000);
    expect(isRefused(await send(ada.access, way))).toBe(true);
    await expectUnchanged();
  });

  it.each(all)("by a confirmed admin, reach an admin: $method $path", async (way) => {
    const ada = await scene.addUser("ada", "admin");
    const answer = await send(ada.access, way);
    expect([answer.status, isRefused(answer)]).toEqual([200, false]);
  });
});

describe("tokens/revoke/", () => {
  it("by support is recorded as a refusal", async () => {
    const eve = await scene.addUser("eve", "support");
    const { status, body } = await scene.call(eve.access, "POST", "tokens/revoke/", { jti: target.jti, reason });
    expect([status, body.code]).toEqual([403, "permission_denied"]);
    await expect
      .poll(async () => (await scene.call(target.access, "GET", "audit/?type=staff_refused")).body.results)
      .toMatchObject([{ user: { id: eve.id }, details: { action: "revokeStaffToken", code: "permission_denied" } }]);
  });

  it("is refused to support with roles of an application too", async () => {
    await scene.close();
    const findUser = (id: string) => ({ id, username: id, isActive: true }) as never;
    const roleOf = (id: string) => (id === "eve" ? "support" : "admin");
    scene = await createStaffScene({ findUser }, undefined, { roleOf });
    const [eve, ada] = [await scene.auth.issue("eve"), await scene.auth.issue("ada")];
    const revoke = (access: string) => scene.call(access, "POST", "tokens/revoke/", { jti: "0".repeat(32), reason });
    expect((await revoke(eve.access)).status).toBe(403);
    expect((await revoke(ada.access)).status).toBe(200);
    vi.setSystemTime(Date.now() + 700_000);
    expect((await revoke(ada.access)).body.code).toBe("confirmation_required");
  });
});
