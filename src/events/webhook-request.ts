import { createHmac } from "node:crypto";

/** Where messages go, and the key that signs them. */
export interface WebhookTarget {
  readonly url: string;
  /** Base64, with or without `whsec_` before it. */
  readonly secret: string;
}

/** Milliseconds for the whole answer. */
const timeout = 10_000;

/**
 * Sends one message, signed by Standard Webhooks: `v1` is HMAC-SHA-256 over `id.timestamp.body`. Never rejects: `null` where
 * the answer was 2xx, and otherwise why not. Redirects are not followed, and no answer's body is read. `ending` cuts it short.
 */
export async function sendMessage(
  { url, secret }: WebhookTarget,
  { id, body }: { readonly id: string; readonly body: string },
  timestamp: number,
  ending: AbortSignal,
): Promise<string | null> {
  try {
    const response = await fetch(url, {
      method: "POST",
      redirect: "manual",
      signal: AbortSignal.any([AbortSignal.timeout(timeout), ending]),
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

/** The error's code or name; its message may quote the URL. */
function toReason(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { cause } = error;
  return cause instanceof Error && "code" in cause ? String(cause.code) : error.name;
}
