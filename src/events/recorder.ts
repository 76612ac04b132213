import type { Random } from "../core/runtime/random.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { AuditRecord } from "../core/store/audit.ts";
import { toAuditRow } from "./audit-row.ts";
import { toAuditPolicy, toWebhookType } from "./catalogue/catalogue.ts";
import type { AuthEvent } from "./events.ts";

/** Returns the records that a transaction writes about its events. */
export type Recorder = (events: readonly AuthEvent[]) => readonly AuditRecord[];

/** Creates the recorder for these settings. `random` is used for the ids of webhook messages. */
export function createRecorder(
  settings: Pick<Settings, "auditRetention" | "auditRotations" | "webhookUrl">,
  random: Random,
): Recorder {
  const { auditRetention, webhookUrl } = settings;

  function toDelivery(event: AuthEvent): AuditRecord["delivery"] {
    const body = webhookUrl === undefined ? null : toWebhookBody(event);
    if (body === null) return null;
    return { id: `msg_${Buffer.from(random(16)).toString("base64url")}`, body, at: event.time };
  }

  return (events) =>
    events.map((event) => ({
      row: auditRetention > 0 && toAuditPolicy(event, settings) === "transaction" ? toAuditRow(event) : null,
      delivery: toDelivery(event),
    }));
}

/**
 * Returns the body of the webhook message about an event, in the format of Standard Webhooks. Returns `null` if no message
 * is sent.
 */
function toWebhookBody(event: AuthEvent): string | null {
  const type = toWebhookType(event);
  if (type === null || !("client" in event)) return null;
  const { userId: user_id, sessionId: session_id } = event as { readonly userId?: string; readonly sessionId?: string };
  const { ip, userAgent: user_agent, actor } = event.client;
  const timestamp = new Date(event.time * 1000).toISOString();
  return JSON.stringify({ type, timestamp, data: { user_id, session_id, ip, user_agent, actor } });
}
