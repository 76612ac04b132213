import { createHmac } from "node:crypto";

/** The receiver of the messages, and the key that signs them. */
export interface WebhookTarget {
  readonly url: string;
  /** Base64, with or without the prefix `whsec_`. */
  readonly secret: string;
}

/** Milliseconds that a request may take. */
const timeout = 10_000;

/**
 * Sends one message, signed as Standard Webhooks says: `v1` is HMAC-SHA-256 over `id.timestamp.body`. Redirects are not
 * followed, and the response's body is not read. Never rejects.
 *
 * @param timestamp the time of this attempt: whole seconds since the epoch.
 * @param signal aborts the request.
 * @returns why it failed, or `null` if the response was 2xx.
 * @see https://www.standardwebhooks.com
 */
export async function sendMessage(
  { url, secret }: WebhookTarget,
  { id, body }: { readonly id: string; readonly body: string },
  timestamp: number,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    const response = await fetch(url, {
      method: "POST",
      redirect: "manual",
      signal: AbortSignal.any([AbortSignal.timeout(timeout), signal]),
      headers: {
        "Content-Type": "application/json",
        "User-Agent": "tokenpair",
        "webhook-id": id,
        "webhook-timestamp": String(timestamp),
        "webhook-signature": `v1,${sign(secret, `${id}.${timestamp}.${body}`)}`,
      },
      body,
    });
    await response.body?.cancel();
    return response.ok ? null : `answered ${response.status}`;
  } catch (error) {
    return toReason(error);
  }
}

function sign(secret: string, content: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  return createHmac("sha256", key).update(content).digest("base64");
}

/** Returns the error's code or name. Its message may hold the URL. */
function toReason(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { cause } = error;
  return cause instanceof Error && "code" in cause ? String(cause.code) : error.name;
}
