import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import type { Settings } from "../../../src/core/settings/settings.ts";
import type { OutboxStore } from "../../../src/core/store/outbox.ts";
import type { AuthUser } from "../../../src/core/user.ts";
import type { AuthEvent } from "../../../src/events/events.ts";
import { batchSize, createWebhook, giveUpAfter, lease, type Webhook } from "../../../src/events/webhook/webhook.ts";
import { login } from "../../../src/flows/login.ts";
import { changePassword } from "../../../src/flows/passwords/change.ts";
import { refresh } from "../../../src/flows/refresh/refresh.ts";
import { alice, createTestAuth, type TestAuth } from "../../support/auth.ts";

const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const client = { ip: "192.0.2.7", userAgent: "Firefox", actor: undefined };

interface Received {
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Node {
  readonly webhook: Webhook;
  /** The timers that the webhook has set, in order. */
  readonly timers: { readonly callback: () => void; readonly ms: number }[];
  /** Fires the next timer. */
  readonly fire: () => void;
  /** Fires the next timer, which reads the outbox and sends what is due. Returns the milliseconds until the next read. */
  readonly tick: () => Promise<number | undefined>;
}

let receiver: Server;
let received: Received[];
/** The receiver's responses, in order; 200 after the last. */
let answers: (number | "hang up" | "nothing" | { readonly redirect: string })[];
let auth: TestAuth;
let emitted: AuthEvent[];
/** All nodes, and the first. */
let nodes: Node[];
let node: Node;
let url: string;

beforeEach(async () => {
  [received, answers, emitted, nodes] = [[], [], [], []];
  receiver = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    received.push({ path: request.url, headers: request.headers, body });
    const answer = answers.shift() ?? 200;
    if (answer === "nothing") return;
    if (answer === "hang up") request.socket.destroy();
    else if (typeof answer === "number") response.writeHead(answer).end("no");
    else response.writeHead(307, { Location: answer.redirect }).end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  await start();
});
afterEach(async () => {
  await Promise.all(nodes.map(({ webhook }) => webhook.stop()));
  await auth.close();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

async function start(settings: Partial<Settings<AuthUser>> = {}): Promise<void> {
  await auth?.close();
  auth = await createTestAuth({ settings: { webhookUrl: url, webhookSecret: secret, ...settings } });
  // Only a later login can be from a new device.
  await login(auth.deps, alice);
  nodes = [];
  node = addNode();
}

/** Starts the webhook of one more node. It reads the outbox only when a test calls `tick`. */
function addNode(outbox: Partial<OutboxStore> = {}): Node {
  const timers: Node["timers"] = [];
  const webhook = createWebhook({
    target: { url, secret },
    store: { ...auth.store.outbox, ...outbox },
    clock: auth.clock,
    emit: (event) => emitted.push(event),
    schedule: (callback, ms) => {
      const timer = { callback, ms };
      timers.push(timer);
      return { cancel: () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1)) };
    },
    jitter: () => 0,
  });
  webhook.start();
  const fire = () => timers.shift()?.callback();
  const tick = async () => {
    fire();
    await expect.poll(() => timers.length).toBe(1);
    return timers[0]?.ms;
  };
  const added = { webhook, timers, fire, tick };
  nodes.push(added);
  return added;
}

const tick = () => node.tick();
const types = () => received.map(({ body }) => JSON.parse(body).type);

/** Verifies a message as a receiver must: by Standard Webhooks, with code of its own. */
function isGenuine({ headers, body }: Received): boolean {
  const content = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const expected = createHmac("sha256", Buffer.alloc(32, 7)).update(content).digest("base64");
  return headers["webhook-signature"] === `v1,${expected}`;
}

describe("the webhook", () => {
  it("sends a new device, a detected reuse and a new password, signed and once each, and nothing else", async () => {
    const { session, pair } = await login(auth.deps, alice, { client });
    await refresh(auth.deps, pair.refresh);
    auth.clock.advance(60);
    await refresh(auth.deps, pair.refresh, { client: { ip: "192.0.2.9" } }).catch(() => {});
    const second = await login(auth.deps, alice, { client });
    const subject = { userId: auth.user.id, sessionId: second.session.id };
    const passwords = { currentPassword: alice.password, newPassword: "another horse" };
    await changePassword(auth.deps, { ...subject, ...passwords }, { client });
    await tick();
    await tick();
    expect(types().sort()).toEqual(["new_device", "password_changed", "reuse_detected"]);
    expect(received.map(isGenuine)).toEqual([true, true, true]);
    const reuse = received.find(({ body }) => body.includes("reuse_detected")) as Received;
    expect(JSON.parse(reuse.body)).toEqual({
      type: "reuse_detected",
      timestamp: "2026-01-01T00:01:00.000Z",
      data: { user_id: auth.user.id, session_id: session.id, ip: "192.0.2.9" },
    });
    expect(reuse.headers["content-type"]).toBe("application/json");
    expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(3);
    for (const planted of [alice.password, passwords.newPassword, pair.refresh, secret, secret.slice(6)]) {
      expect(received.filter(({ headers, body }) => (JSON.stringify(headers) + body).includes(planted))).toEqual([]);
    }
  });

  it("sends without an audit log", async () => {
    await start({ auditRetention: 0 });
    await login(auth.deps, alice, { client });
    await tick();
    expect(types()).toEqual(["new_device"]);
  });

  it.each([[500], [404], ["hang up"], [{ redirect: "http://127.0.0.1:9/" }]] as const)(
    "sends a message again that was answered with %j, with a growing delay and the same id",
    async (answer) => {
      answers = [answer, answer];
      await login(auth.deps, alice, { client });
      await tick();
      await tick();
      expect(received).toHaveLength(1);
      auth.clock.advance(5);
      await tick();
      auth.clock.advance(9);
      await tick();
      expect(received).toHaveLength(2);
      auth.clock.advance(1);
      await tick();
      await tick();
      expect(received).toHaveLength(3);
      expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
      const times = received.map(({ headers }) => Number(headers["webhook-timestamp"]));
      expect(times.map((time) => time - (times[0] ?? 0))).toEqual([0, 5, 15]);
      expect(received.every(isGenuine)).toBe(true);
      const attempt = { type: "webhook_failed", isGivenUp: false, messageId: received[0]?.headers["webhook-id"] };
      expect(emitted).toMatchObject([
        { ...attempt, attempts: 1 },
        { ...attempt, attempts: 2 },
      ]);
    },
  );

  it("gives a message up after three days, and reports that", async () => {
    answers = [500];
    await login(auth.deps, alice, { client });
    await tick();
    answers = [500];
    auth.clock.advance(giveUpAfter);
    await tick();
    auth.clock.advance(giveUpAfter);
    await tick();
    expect(received).toHaveLength(2);
    expect(emitted.map((event) => event.type === "webhook_failed" && event.isGivenUp)).toEqual([false, true]);
    expect(JSON.stringify(emitted)).not.toContain(url);
  });

  it("sends a message that a stopped process had claimed, when the lease is over", async () => {
    await login(auth.deps, alice, { client });
    expect(await auth.store.outbox.claim({ limit: 1, lease })).toHaveLength(1);
    await tick();
    expect(received).toEqual([]);
    auth.clock.advance(lease);
    await tick();
    expect(types()).toEqual(["new_device"]);
  });

  it("aborts a request that is not answered when it is stopped, and lets another node send the message", async () => {
    answers = ["nothing"];
    await login(auth.deps, alice, { client });
    node.fire();
    await expect.poll(() => received.length).toBe(1);
    const stopped = node.webhook.stop();
    node.fire();
    await stopped;
    expect(emitted).toMatchObject([{ type: "webhook_failed", isGivenUp: false, reason: "AbortError" }]);
    const other = addNode();
    auth.clock.advance(5);
    await other.tick();
    await other.tick();
    expect(types()).toEqual(["new_device", "new_device"]);
  });

  it("sends each message from one of two nodes", async () => {
    const other = addNode();
    const agents = Array.from({ length: 12 }, (_, n) => `Firefox ${n}`);
    for (const userAgent of agents) await login(auth.deps, alice, { client: { userAgent } });
    await Promise.all([tick(), other.tick()]);
    await Promise.all([tick(), other.tick()]);
    expect(received.map(({ body }) => JSON.parse(body).data.user_agent).sort()).toEqual(agents.sort());
  });

  it("follows no redirect, as the receiver's host was configured and another's was not", async () => {
    answers = [{ redirect: `${url}/elsewhere` }];
    await login(auth.deps, alice, { client });
    await tick();
    await tick();
    expect(received.map(({ path }) => path)).toEqual(["/hook"]);
    expect(emitted).toMatchObject([{ type: "webhook_failed", attempts: 1, reason: "answered 307" }]);
  });

  it("doesn't report a failed attempt if another node has claimed the message since", async () => {
    answers = ["nothing", 500];
    await login(auth.deps, alice, { client });
    node.fire();
    await expect.poll(() => received.length).toBe(1);
    auth.clock.advance(lease);
    await addNode().tick();
    const stopped = node.webhook.stop();
    node.fire();
    await stopped;
    expect(emitted).toMatchObject([{ type: "webhook_failed", attempts: 2, reason: "answered 500" }]);
  });

  it("reads the outbox again at once after a full batch, and otherwise after a second", async () => {
    for (let n = 0; n < batchSize; n += 1) await login(auth.deps, alice, { client: { userAgent: `Firefox ${n}` } });
    expect(await tick()).toBe(0);
    expect(received).toHaveLength(batchSize);
    expect(await tick()).toBe(1_000);
  });

  it("reads the outbox again after a second if the store was unavailable", async () => {
    await login(auth.deps, alice, { client });
    let isAway = true;
    const { claim } = auth.store.outbox;
    const other = addNode({
      claim: async (options) => {
        if (isAway) throw new StoreUnavailableError("outbox.claim");
        return claim(options);
      },
    });
    expect(await other.tick()).toBe(1_000);
    isAway = false;
    await other.tick();
    expect(types()).toEqual(["new_device"]);
  });

  it("reads the outbox once, however often it is started", async () => {
    await tick();
    node.webhook.start();
    expect(node.timers.map(({ ms }) => ms)).toEqual([1_000]);
  });
});
