import { afterEach, beforeEach, expect, it } from "vitest";
import { createStaffScene, type StaffScene } from "./setup.ts";

let scene: StaffScene;
let ada: { id: string; access: string };

beforeEach(async () => {
  scene = await createStaffScene();
  ada = await scene.addUser("ada", "admin");
});
afterEach(() => scene.close());

/** Opens the stream and returns a function that reads the next event of a type. */
async function open(lastId?: string) {
  const headers = {
    Authorization: `Bearer ${ada.access}`,
    ...(lastId === undefined ? {} : { "Last-Event-ID": lastId }),
  };
  const response = await scene.staff.fetch(new Request("http://localhost/api/admin/audit/stream/", { headers }));
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    response,
    cancel: () => reader?.cancel(),
    async next(): Promise<{ id: string | undefined; event: string; data: Record<string, unknown> } | null> {
      for (;;) {
        const end = text.indexOf("\n\n");
        if (end !== -1) {
          const block = text.slice(0, end);
          text = text.slice(end + 2);
          const fields = new Map(
            block.split("\n").map((line) => [line.split(": ")[0], line.split(": ").slice(1).join(": ")]),
          );
          const event = fields.get("event");
          if (event !== undefined) return { id: fields.get("id"), event, data: JSON.parse(fields.get("data") ?? "{}") };
        } else {
          const { done, value } = (await reader?.read()) ?? { done: true, value: "" };
          if (done) return null;
          text += value;
        }
      }
    },
  };
}

it("sends new audit entries, and resumes after the last one without a loss", async () => {
  const stream = await open();
  expect(stream.response.headers.get("Content-Type")).toBe("text/event-stream; charset=utf-8");
  const bob = await scene.addUser("bob");
  const seen = [await stream.next()];
  expect(seen.map((event) => [event?.event, event?.data["type"]])).toEqual([["entry", "login"]]);
  await stream.cancel();
  await scene.auth.users.disable(bob.id);
  await scene.auth.users.enable(bob.id);
  const again = await open(seen.findLast((event) => event?.id !== undefined)?.id);
  const types = [];
  for (let n = 0; n < 3; n++) types.push((await again.next())?.data["details"]);
  expect(types).toEqual([{ change: "disabled" }, expect.anything(), { change: "enabled" }]);
  await again.cancel();
});

it("ends with the reason when the session of the member is revoked", async () => {
  const stream = await open();
  await scene.auth.users.disable(ada.id);
  let last: Awaited<ReturnType<typeof stream.next>> = null;
  for (let event = await stream.next(); event !== null; event = await stream.next()) last = event;
  expect([last?.event, last?.data]).toEqual(["closed", { code: "token_revoked" }]);
});

it("ends without an event when the node stops, so that the browser continues at another node", async () => {
  const stream = await open();
  scene.staff.drain();
  expect(await stream.next()).toBeNull();
  expect((await open()).response.status).toBe(429);
});

it("ends before the next entry when the member has lost the role", async () => {
  const stream = await open();
  await scene.auth.users.update(ada.id, { role: null });
  expect(await stream.next()).toMatchObject({ event: "closed", data: { code: "not_staff" } });
});

it("allows 50 streams on a node, and again one when another has ended", async () => {
  const streams = [];
  for (let n = 0; n < 50; n++) streams.push(await open());
  expect((await open()).response.status).toBe(429);
  await streams[0]?.cancel();
  const next = await open();
  expect(next.response.status).toBe(200);
  for (const stream of [next, ...streams]) await stream.cancel();
});

it.each(["x", "!!!!", Buffer.from('{"a":1}').toString("base64url")])("refuses the position %j", async (id) => {
  expect((await open(id)).response.status).toBe(400);
});
