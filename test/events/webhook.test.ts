import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Settings } from "../../src/core/settings/settings.ts";
import type { AuthUser } from "../../src/core/user.ts";
import type { AuthEvent } from "../../src/events/events.ts";
import { createWebhook, giveUpAfter, lease, type Webhook } from "../../src/events/webhook.ts";
import { changePassword } from "../../src/flows/change-password.ts";
import { login } from "../../src/flows/login.ts";
import { refresh } from "../../src/flows/refresh/refresh.ts";
import { alice, createTestAuth, type TestAuth } from "../support/auth.ts";

const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const client = { ip: "192.0.2.7", userAgent: "Firefox", actor: undefined };

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let receiver: Server;
let received: Received[];
/** Answers of the receiver, one after the other; 200 when there are no more. */
let answers: (number | "hang up" | "nothing" | { readonly redirect: string })[];
let auth: TestAuth;
let said: AuthEvent[];
let webhooks: { readonly webhook: Webhook; readonly tick: () => Promise<void>; readonly timers: (() => void)[] }[];
let url: string;

beforeEach(async () => {
  [received, answers, said, webhooks] = [[], [], [], []];
  receiver = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    received.push({ headers: request.headers, body });
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
  await Promise.all(webhooks.map(({ webhook }) => webhook.stop()));
  await auth.close();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

async function start(settings: Partial<Settings<AuthUser>> = {}): Promise<void> {
  await auth?.close();
  auth = await createTestAuth({ settings: { webhookUrl: url, webhookSecret: secret, ...settings } });
  webhooks = [addNode()];
}

/** A node's sender, whose every look at the outbox is made by `tick`. */
function addNode() {
  const timers: (() => void)[] = [];
  let settled: Promise<unknown> = Promise.resolve();
  const { outbox } = auth.store;
  const webhook = createWebhook({
    target: { url, secret },
    store: {
      ...outbox,
      claim: (options) => {
        const claimed = outbox.claim(options);
        settled = claimed;
        return claimed;
      },
    },
    clock: auth.clock,
    emit: (event) => said.push(event),
    schedule: (callback) => {
      timers.push(callback);
      return { cancel: () => void timers.splice(0) };
    },
    jitter: () => 0,
  });
  webhook.start();
  const tick = async () => {
    timers.shift()?.();
    await settled;
    await expect.poll(() => timers.length).toBe(1);
  };
  return { webhook, tick, timers };
}

const tick = () => webhooks[0]?.tick();
const types = () => received.map(({ body }) => JSON.parse(body).type);

/** Verifies as a receiver has to: Standard Webhooks, with code of its own. */
function isGenuine({ headers, body }: Received): boolean {
  const content = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const expected = createHmac("sha256", Buffer.alloc(32, 7)).update(content).digest("base64");
  return headers["webhook-signature"] === `v1,${expected}`;
}

describe("the webhook", () => {
  it("is sent a new device, a theft and a new password, signed, each once, and nothing else", async () => {
    const { session, pair } = await login(auth.deps, alice, { client });
    await refresh(auth.deps, pair.refresh);
    auth.clock.advance(60);
    await refresh(auth.deps, pair.refresh, { client: { ip: "192.0.2.9" } }).catch(() => {});
    const second = await login(auth.deps, alice, { client });
    const subject = { userId: auth.user.id, sessionId: second.session.id };
    const passwords = { currentPassword: alice.password, newPassword: "another horse" };
    await changePassword(auth.deps, { ...subject, ...passwords, client });
    await tick();
    await tick();
    expect(types().sort()).toEqual(["new_device", "password_changed", "theft"]);
    expect(received.map(isGenuine)).toEqual([true, true, true]);
    const theft = received.find(({ body }) => body.includes("theft")) as Received;
    expect(JSON.parse(theft.body)).toEqual({
      type: "theft",
      timestamp: "2026-01-01T00:01:00.000Z",
      data: { user_id: auth.user.id, session_id: session.id, ip: "192.0.2.9" },
    });
    expect(theft.headers["content-type"]).toBe("application/json");
    expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(3);
    for (const planted of [alice.password, passwords.newPassword, pair.refresh, secret, secret.slice(6)]) {
      expect(received.filter(({ headers, body }) => (JSON.stringify(headers) + body).includes(planted))).toEqual([]);
    }
  });

  it("works without an audit log", async () => {
    await start({ auditRetention: 0 });
    await login(auth.deps, alice, { client });
    await tick();
    expect(types()).toEqual(["new_device"]);
  });

  it.each([[500], [404], ["hang up"], [{ redirect: "http://127.0.0.1:9/" }]] as const)(
    "is sent a message again that was answered with %j, with a growing delay, under the same id",
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
      expect(said).toMatchObject([
        { ...attempt, attempts: 1 },
        { ...attempt, attempts: 2 },
      ]);
    },
  );

  it("is given up after three days, loudly", async () => {
    answers = [500];
    await login(auth.deps, alice, { client });
    await tick();
    answers = [500];
    auth.clock.advance(giveUpAfter);
    await tick();
    auth.clock.advance(giveUpAfter);
    await tick();
    expect(received).toHaveLength(2);
    expect(said.map((event) => event.type === "webhook_failed" && event.isGivenUp)).toEqual([false, true]);
    expect(JSON.stringify(said)).not.toContain(url);
  });

  it("gets a message of a node that died with it from another, once its lease is over", async () => {
    await login(auth.deps, alice, { client });
    expect(await auth.store.outbox.claim({ limit: 1, lease })).toHaveLength(1);
    await tick();
    expect(received).toEqual([]);
    auth.clock.advance(lease);
    await tick();
    expect(types()).toEqual(["new_device"]);
  });

  it("does not keep a node from ending by not answering, and gets the message from another", async () => {
    answers = ["nothing"];
    await login(auth.deps, alice, { client });
    const [{ webhook, timers }] = webhooks as [(typeof webhooks)[number]];
    timers.shift()?.();
    await expect.poll(() => received.length).toBe(1);
    const stopped = webhook.stop();
    timers.shift()?.();
    await stopped;
    expect(said).toMatchObject([{ type: "webhook_failed", isGivenUp: false, reason: "AbortError" }]);
    const other = addNode();
    webhooks.push(other);
    auth.clock.advance(5);
    await other.tick();
    await other.tick();
    expect(types()).toEqual(["new_device", "new_device"]);
  });

  it("gets each message from one of two nodes", async () => {
    const other = addNode();
    webhooks.push(other);
    const agents = Array.from({ length: 12 }, (_, n) => `Firefox ${n}`);
    for (const userAgent of agents) await login(auth.deps, alice, { client: { userAgent } });
    await Promise.all([tick(), other.tick()]);
    await Promise.all([tick(), other.tick()]);
    expect(received.map(({ body }) => JSON.parse(body).data.user_agent).sort()).toEqual(agents.sort());
  });
});
