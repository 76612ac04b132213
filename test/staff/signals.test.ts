import { afterEach, beforeEach, expect, it } from "vitest";
import { getInternals } from "../../src/internals.ts";
import { createStaffScene, type StaffScene } from "./setup.ts";

let scene: StaffScene;
let ada: { id: string; access: string };

beforeEach(async () => {
  scene = await createStaffScene();
  ada = await scene.addUser("ada", "admin");
});
afterEach(() => scene.close());

const read = (response: Response) => response.text();
const cancel = async (response: Response) => response.body?.cancel();

it.each<[string, (path: string) => Promise<unknown>, string]>([
  ["a stream of the audit log", (path) => scene.request(ada.access, path).then(cancel), "audit/stream/"],
  ["an export", (path) => scene.request(ada.access, path).then(read), "audit/export/?format=csv"],
  ["a cancelled export", (path) => scene.request(ada.access, path).then(cancel), "audit/export/?format=csv"],
  [
    "a change of several users",
    async (path) =>
      scene.call(ada.access, "POST", path, {
        action: "disable",
        ids: [(await scene.addUser("bob")).id, "nobody"],
        reason: "ticket 4411",
      }),
    "users/bulk/",
  ],
])("the staff API follows the member's session no longer after %s", async (_, send, path) => {
  await send(path);
  expect(getInternals(scene.auth).signals.size).toBe(0);
});

it("the staff API doesn't follow the session of a member whose stream is refused", async () => {
  scene.staff.drain();
  expect((await scene.request(ada.access, "audit/stream/")).status).toBe(429);
  expect(getInternals(scene.auth).signals.size).toBe(0);
});
