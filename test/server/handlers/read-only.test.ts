import { describe, expect, it } from "vitest";
import { resolveSettings } from "../../../src/core/settings/resolve.ts";
import { createHealth } from "../../../src/server/handlers/health.ts";
import { createPage } from "../../../src/server/handlers/page.ts";
import { createMetrics } from "../../../src/server/observe/metrics.ts";

const settings = resolveSettings({});
const health = createHealth({ health: async () => ({ ok: true }) });
const metrics = createMetrics({
  settings,
  lostLogLines: () => 0,
  stats: () => ({
    revocations: { live: 0, staleSeconds: 0 },
    readers: { streams: 11, polls: 12, bytes: 13, records: 14, lagSeconds: 0.5 },
    passwords: { inFlight: 0, waiting: 0, rejected: 0 },
    store: { isWritable: true },
    keys: { kid: "k1", algorithm: "ES256", age: 90, isReadable: true },
  }),
});

describe.each([
  ["/healthz", health.fetch],
  ["/readyz/", health.fetch],
  ["/metrics", metrics.fetch],
  ["/", createPage(settings).fetch],
])("the read-only resource %s", (path, fetch) => {
  const send = (method: string, at = path) => fetch(new Request(`https://auth.example${at}`, { method }));

  it("answers HEAD as it answers GET, but without the body", async () => {
    const [get, head] = [await send("GET"), await send("HEAD")];
    expect([get.status, head.status]).toEqual([200, 200]);
    expect([...head.headers]).toEqual([...get.headers]);
    expect(await get.text()).not.toBe("");
    expect(await head.text()).toBe("");
  });

  it("lists its methods in Allow, and answers 405 to POST", async () => {
    const options = await send("OPTIONS");
    const refused = await send("POST");
    expect([options.status, refused.status]).toEqual([204, 405]);
    expect(await refused.json()).toEqual({ detail: 'Method "POST" not allowed.' });
    for (const { headers } of [options, refused]) {
      expect(headers.get("Allow")).toBe("GET, HEAD, OPTIONS");
      expect(headers.get("Cache-Control")).toBe("no-store");
    }
  });

  it("answers 404 at other paths, whatever the method", async () => {
    for (const method of ["GET", "POST", "OPTIONS"]) expect((await send(method, "/nothing")).status).toBe(404);
  });
});
