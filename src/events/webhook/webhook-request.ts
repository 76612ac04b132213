import { createHmac } from "node:crypto";
import { toErrorCode } from "../../core/errors.ts";

/** The receiver of the messages, and the key that signs them. */
export interface WebhookTarget {
  readonly url: string;
  /** The secret in base64. The prefix `whsec_` is optional. */
  readonly secret: string;
}

/** How long a request may take, in milliseconds. */
const timeout = 10_000;

/**
 * Sends one message, signed according to Standard Webhooks: `v1` is HMAC-SHA-256 over `id.timestamp.body`. It doesn't
 * follow redirects and doesn't read the body of the response. Never rejects.
 *
 * @param timestamp the time of this attempt, in whole seconds since the epoch.
 * @param signal a signal that aborts the request.
 * @returns why the attempt failed, or `null` if the response was a 2xx.
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

/** Returns the error's code or name. The error's message is not used, because it may contain the URL. */
function toReason(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return toErrorCode(error.cause) ?? error.name;
}
