import type { AuditOf, AuditRecord } from "../core/audit.ts";
import type { AuthEvent } from "../core/events.ts";
import type { Settings } from "../core/settings.ts";
import { toWebhookBody } from "../core/webhook-message.ts";
import type { Random } from "../crypto/secrets.ts";

/** What a change tells, from its result: the same events go to the database, with the change, and to the listeners. */
export type Tell<T> = (result: T) => readonly AuthEvent[];

/** Makes of what a change tells what a store has to write of it; `undefined` where nothing is. */
export type Auditor = <T>(tell: Tell<T>) => AuditOf<T> | undefined;

/** The auditor of these settings. `random` makes the ids of the webhook's messages. */
export function createAuditor(
  { auditRetention, webhookUrl }: Pick<Settings, "auditRetention" | "webhookUrl">,
  random: Random,
): Auditor {
  const isKept = auditRetention > 0;
  if (!isKept && webhookUrl === undefined) return () => undefined;

  function toDelivery(event: AuthEvent): AuditRecord["delivery"] {
    const body = webhookUrl === undefined ? null : toWebhookBody(event);
    return body === null ? null : { id: `msg_${Buffer.from(random(16)).toString("base64url")}`, body };
  }
  return (tell) => (result) => tell(result).map((event) => ({ event, isKept, delivery: toDelivery(event) }));
}
