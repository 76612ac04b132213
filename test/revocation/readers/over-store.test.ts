import { afterEach, describe, expect, it } from "vitest";
import { toFingerprint } from "../../../src/revocation/readers/frame.ts";
import { createTestAuth, type TestAuth } from "../../support/auth.ts";
import { parseFrame } from "./scene.ts";

let auth: TestAuth;
afterEach(() => auth.close());

const toRequest = (after?: string) => ({ lease: 10_000, arrivedAt: 0, after });

describe("the readers of a node", () => {
  it("get what was revoked before the first of them came, and what is revoked later", async () => {
    auth = await createTestAuth();
    const { readers, feed } = auth.deps;
    const { revocations } = await auth.store.feed.revokeToken("old");
    feed.apply(revocations);
    expect(readers.stats().records).toBe(0);
    const first = parseFrame(await readers.poll(toRequest(), { wait: 0 }));
    const until = revocations[0].until;
    expect(first).toMatchObject({
      isFull: true,
      records: [{ fingerprint: toFingerprint("t", "old"), until, value: 1 }],
    });
    feed.apply((await auth.store.feed.revokeToken("new")).revocations);
    const next = parseFrame(await readers.poll(toRequest(first.cursor), { wait: 0 }));
    expect(next).toMatchObject({ isFull: false, records: [{ fingerprint: toFingerprint("t", "new") }] });
  });

  it("get all others' sessions as one record, after that of the session that stays", async () => {
    auth = await createTestAuth();
    const { readers, feed } = auth.deps;
    const { cursor } = parseFrame(await readers.poll(toRequest(), { wait: 0 }));
    await auth.logIn();
    await auth.logIn();
    const { sessions } = await auth.store.sessions.list({ limit: 10 });
    const owner = { sessionId: sessions[0]?.id ?? "", userId: auth.user.id };
    feed.apply((await auth.store.sessions.revokeOthers(owner, "logout"))?.revocations ?? []);
    const { records } = parseFrame(await readers.poll(toRequest(cursor), { wait: 0 }));
    expect(records).toMatchObject([
      { fingerprint: toFingerprint("x", owner.sessionId), value: 1 },
      { fingerprint: toFingerprint("u", owner.userId), value: 1 },
    ]);
  });

  it("are refused while the node is stale", async () => {
    auth = await createTestAuth();
    auth.goStale();
    await expect(auth.deps.readers.poll(toRequest(), { wait: 0 })).rejects.toMatchObject({ code: "unavailable" });
  });
});
