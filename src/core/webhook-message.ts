import type { AuthEvent } from "./events.ts";

/**
 * The body of the webhook's message about an event, in the form of Standard Webhooks; `null` where the event is none of
 * those that it is sent: theft, a new device, a new password.
 */
export function toWebhookBody(event: AuthEvent): string | null {
  const type = toMessageType(event);
  if (type === null || !("origin" in event)) return null;
  const { userId: user_id, sessionId: session_id } = event as { readonly userId?: string; readonly sessionId?: string };
  const { ip, userAgent: user_agent, actor } = event.origin;
  const timestamp = new Date(event.time * 1000).toISOString();
  return JSON.stringify({ type, timestamp, data: { user_id, session_id, ip, user_agent, actor } });
}

function toMessageType(event: AuthEvent): string | null {
  if (event.type === "new_device") return "new_device";
  if (event.type === "refresh" && event.outcome === "theft") return "theft";
  return event.type === "user_changed" && event.change === "password_changed" ? "password_changed" : null;
}
