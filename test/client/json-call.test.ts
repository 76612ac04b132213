import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { createJsonCall, createTimeout } from "../../src/client/transport/json-call.ts";
import { createFakeClock } from "./fake-clock.ts";

/** The part of an environment that a call needs. */
function createEnvironment() {
  const clock = createFakeClock();
  const env = { ...clock, fetch: async () => Response.json({}) } as unknown as Parameters<typeof createJsonCall>[0];
  return { clock, env };
}

describe("a call of the client", () => {
  it("leaves no timer and no listener behind: a page that stays open refreshes for weeks", async () => {
    const { clock, env } = createEnvironment();
    const { signal } = new AbortController();
    const send = () => Promise.resolve(Response.json({}));
    const call = createJsonCall(env, "https://app.example/api/auth", { timeout: 10, send });
    for (let n = 0; n < 3; n++) await call("POST", "refresh/", undefined, { signal });
    expect([clock.pendingTimers(), getEventListeners(signal, "abort")]).toEqual([0, []]);
  });

  it("ends at once if it was given up before it began", () => {
    const { env } = createEnvironment();
    expect(createTimeout(env, 10, AbortSignal.abort()).signal.reason).toMatchObject({ code: "timeout" });
  });
});
