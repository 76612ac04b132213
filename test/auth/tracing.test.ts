import { AsyncLocalStorage } from "node:async_hooks";
import { tracingChannel } from "node:diagnostics_channel";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Auth } from "../../src/auth.ts";
import { type TraceMessage, type TraceName, traceNames } from "../../src/core/tracing.ts";
import { createAuth } from "../../src/create-auth.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";

const password = "a password that nobody sees";
const signingKey = "0123456789abcdef".repeat(4);

let auth: Auth;
let stops: (() => void)[];

beforeEach(async () => {
  stops = [];
  const store = sqliteStore(":memory:");
  await store.migrate();
  auth = createAuth({ store, signingKey, passwordMemoryCost: 19_456, passwordTimeCost: 2 });
  await auth.ready();
  await auth.users.create({ username: "alice", password });
});
afterEach(async () => {
  for (const stop of stops) stop();
  await auth.close();
});

interface Seen {
  readonly name: TraceName;
  readonly event: string;
  readonly message: TraceMessage & Record<string, unknown>;
}

/** Subscribes to channels. */
function watch(names: readonly TraceName[] = traceNames): readonly Seen[] {
  const seen: Seen[] = [];
  for (const name of names) {
    const note = (event: string) => (message: unknown) => {
      seen.push({ name, event, message: { ...(message as Seen["message"]) } });
    };
    const handlers = {
      start: note("start"),
      end: note("end"),
      asyncStart: note("asyncStart"),
      asyncEnd: note("asyncEnd"),
      error: note("error"),
    };
    const channel = tracingChannel(name);
    channel.subscribe(handlers);
    stops.push(() => channel.unsubscribe(handlers));
  }
  return seen;
}

const post = (path: string, body: object) =>
  auth.fetch(
    new Request(`http://localhost${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", traceparent: "00-aaaa-bbbb-01" },
      body: JSON.stringify(body),
    }),
  );

describe("the tracing channels", () => {
  it("say what a request does, from its start to its end", async () => {
    const seen = watch();
    const { access, refresh } = await (await post("/api/token/", { username: "alice", password })).json();
    await post("/api/token/refresh/", { refresh });
    const { sessionId } = await auth.authenticate(new Headers({ Authorization: `Bearer ${access}` }), {
      method: "GET",
    });
    const ends = seen.filter(({ event }) => event === "asyncEnd").map(({ name, message }) => ({ name, ...message }));
    expect(ends.filter(({ name }) => name !== "tokenpair:store" && name !== "tokenpair:feed")).toEqual([
      { name: "tokenpair:hash", operation: "verify" },
      { name: "tokenpair:login", userId: "1", sessionId },
      {
        name: "tokenpair:request",
        method: "POST",
        route: "/api/token",
        operation: "obtainTokenPair",
        traceparent: "00-aaaa-bbbb-01",
        status: 200,
      },
      { name: "tokenpair:refresh", outcome: "rotated", sessionId },
      expect.objectContaining({ name: "tokenpair:request", route: "/api/token/refresh", status: 200 }),
    ]);
    const operations = ends
      .filter(({ name }) => name === "tokenpair:store")
      .map((message) => (message as { operation?: unknown }).operation);
    expect(operations).toEqual(expect.arrayContaining(["sessions.create", "sessions.rotate"]));
    for (const event of ["start", "end", "asyncStart"]) {
      expect(seen.filter((one) => one.event === event)).toHaveLength(
        seen.filter((one) => one.event === "asyncEnd").length,
      );
    }
  });

  it("nest: what is bound at the start of a request is seen by the calls of the store in it", async () => {
    const route = new AsyncLocalStorage<string>();
    const requests = tracingChannel<unknown, { readonly route: string }>("tokenpair:request");
    requests.start.bindStore(route, (message) => message.route);
    stops.push(() => void requests.start.unbindStore(route));
    const inside: (readonly [unknown, unknown])[] = [];
    const store = tracingChannel("tokenpair:store");
    const handlers = {
      start: (message: unknown) => void inside.push([(message as { operation: string }).operation, route.getStore()]),
    };
    store.start.subscribe(handlers.start);
    stops.push(() => store.start.unsubscribe(handlers.start));
    const { refresh } = await (await post("/api/token/", { username: "alice", password })).json();
    await Promise.all([post("/api/token/refresh/", { refresh }), auth.users.find("1")]);
    expect(inside).toContainEqual(["sessions.rotate", "/api/token/refresh"]);
    expect(inside).toContainEqual(["users.findById", undefined]);
  });

  it("say that something failed, with a code and not with the error", async () => {
    const seen = watch(["tokenpair:login", "tokenpair:request"]);
    await post("/api/token/", { username: "alice", password: "wrong" });
    expect(seen.filter(({ event }) => event === "error")).toEqual([
      { name: "tokenpair:login", event: "error", message: { error: { name: "AuthError", code: "no_active_account" } } },
    ]);
    expect(seen.at(-1)?.message).toMatchObject({ status: 401 });
  });

  it("say how many sessions a revocation revoked, and how it was confirmed", async () => {
    await auth.login({ username: "alice", password });
    const seen = watch(["tokenpair:revocation"]);
    await auth.users.disable("1");
    expect(seen.at(-1)?.message).toEqual({ sessions: 1, confirmed: "acks" });
  });

  it("have no password, token, hash or key in them", async () => {
    const seen = watch();
    const first = await auth.login({ username: "alice", password });
    const second = await auth.refresh(first.refresh);
    await auth.refresh(first.refresh);
    await auth.refresh("not a token").catch(() => {});
    await auth.changePassword({
      userId: "1",
      sessionId: first.session.id,
      currentPassword: password,
      newPassword: "another password that nobody sees",
    });
    await auth.logout({ userId: "1", sessionId: first.session.id }, { scope: "all" });
    const text = JSON.stringify(seen);
    expect(seen.length).toBeGreaterThan(50);
    for (const secret of [
      password,
      "another password",
      signingKey,
      "$argon2",
      first.refresh,
      second.refresh,
      first.access,
    ]) {
      expect(text).not.toContain(String(secret));
    }
    // Parts of tokens, too: every JWT begins so.
    expect(text).not.toContain("eyJ");
  });
});
