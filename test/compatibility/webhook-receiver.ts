import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A message that a node has sent. */
export interface ReceivedMessage {
  readonly id: string;
  /** Whether the signature fits the body, by Standard Webhooks. */
  readonly isGenuine: boolean;
  readonly body: { readonly type: string; readonly data: { readonly session_id?: string } };
  /** The status with which it was answered. */
  readonly status: number;
}

/** A local receiver of webhook messages. */
export interface WebhookReceiver {
  readonly url: string;
  /** Every message so far, in order. */
  readonly messages: readonly ReceivedMessage[];
  /** Answers the following messages with this status. At first: 500. */
  answerWith(status: number): void;
  close(): Promise<void>;
}

/**
 * Starts a receiver on the loopback interface.
 *
 * @param secret the webhook secret, in base64.
 */
export async function startWebhookReceiver(secret: string): Promise<WebhookReceiver> {
  const messages: ReceivedMessage[] = [];
  let status = 500;

  const server = createServer(async (request, response) => {
    const raw = await text(request);
    const toHeader = (name: string) => String(request.headers[name]);
    const id = toHeader("webhook-id");
    const content = `${id}.${toHeader("webhook-timestamp")}.${raw}`;
    const signature = createHmac("sha256", Buffer.from(secret, "base64")).update(content).digest("base64");
    const isGenuine = toHeader("webhook-signature") === `v1,${signature}`;
    messages.push({ id, isGenuine, body: JSON.parse(raw), status });
    response.writeHead(status).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    messages,
    answerWith(next) {
      status = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
