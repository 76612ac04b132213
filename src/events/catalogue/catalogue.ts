import type { AuthEvent, EventOfType, EventType, RefreshEvent } from "../events.ts";
import type { AuditPolicy, AuditSettings, Count, EventEntry, EventLevel } from "./entry.ts";
import { feedEntries } from "./feed-catalogue.ts";
import { keyEntries } from "./key-catalogue.ts";
import { staffEntries } from "./staff-catalogue.ts";

/**
 * All types of events. A new type needs an entry here, or the code doesn't compile. docs/events.md is generated from this
 * table.
 */
export const catalogue: { readonly [T in EventType]: EventEntry<EventOfType<T>> } = {
  login: {
    description: "A session was created.",
    fields: { userId: "", sessionId: "", client: "" },
    audit: "transaction",
    level: "info",
    count: () => ["logins", "success"],
    webhook: null,
  },
  new_device: {
    description:
      "Follows a `login` from a user agent that neither a live session of the user nor a login in the audit log has. Not emitted for a user's first login.",
    fields: { userId: "", sessionId: "", client: "" },
    audit: "transaction",
    level: "info",
    count: null,
    webhook: "new_device",
  },
  login_pending: {
    description: "A login has passed the password check and waits for a second step.",
    fields: { userId: "", client: "" },
    audit: "batch",
    level: "info",
    count: () => ["logins", "second_factor_required"],
    webhook: null,
  },
  session_confirmed: {
    description: "The user of a session was authenticated again, by the password or by the application.",
    fields: { userId: "", sessionId: "", amr: "how: RFC 8176 values with spaces between them", client: "" },
    audit: "transaction",
    level: "info",
    count: null,
    webhook: null,
  },
  login_failed: {
    description:
      "A login or its second step was refused. Also emitted if a password change or a confirmation was refused because of a wrong password.",
    fields: {
      code: "the error's code",
      reason: "",
      userId: "if a user in tokenpair's own table has this name",
      sessionId: "if a logged-in user gave a wrong password",
      client: "",
    },
    // `unavailable` says nothing about a password, and under load it would fill the queue. So would invented tickets.
    audit: ({ code, userId }) =>
      code === "unavailable" || (code === "ticket_invalid" && userId === undefined) ? "never" : "batch",
    auditNote: "batch; never if `code` is `unavailable`, or if it is `ticket_invalid` without a `userId`",
    level: "info",
    count: ({ code }) => ["logins", code],
    webhook: null,
  },
  refresh: {
    description: "A refresh succeeded or was refused.",
    fields: {
      outcome:
        "`redeemed`: the pair of a new session, for a simplejwt refresh token; `rotated`: a new pair; `replayed`: the same successor again; `not_rotated`: a new access token, with " +
        '`rotateRefreshTokens` off; `rotation_ignored`: the same with `"observe"`, but the client ignores the refresh tokens ' +
        "that it gets; `reuse_detected`: a spent token outside the grace period, so its session was revoked; " +
        "`state_lost`: a genuine token that the database does not know; `refused`",
      userId: "if the token was genuine",
      sessionId: "if the token was genuine, and there is a session",
      generation: "the presented token's, if it was genuine and not simplejwt's",
      reason: "if the refresh was refused",
      client: "",
    },
    audit: toRefreshPolicy,
    auditNote:
      "`redeemed`, `reuse_detected`: transaction; `rotation_ignored`: batch; `state_lost`, `refused`: batch, forged tokens: never; " +
      "with `auditRotations`, `rotated` and `replayed`: transaction, `not_rotated`: batch",
    level: ({ outcome }) => (outcome === "reuse_detected" || outcome === "state_lost" ? "warn" : "info"),
    count: ({ outcome }) => ["refreshes", outcome],
    webhook: ({ outcome }) => (outcome === "reuse_detected" ? "reuse_detected" : null),
  },
  sessions_revoked: {
    description: "One session, all of a user's sessions, or the sessions of all users were revoked.",
    fields: {
      reason: "",
      userId: "missing if the sessions of all users were revoked, or one session by its id alone",
      sessionId: "if one session was revoked",
      sessions: "how many of them were live",
      client: "",
    },
    audit: "transaction",
    level: "info",
    count: ({ reason }) => ["revocations", reason],
    webhook: null,
  },
  token_revoked: {
    description:
      "One access token was revoked without its session, or a simplejwt refresh token that had not been redeemed.",
    fields: { tokenId: "the token's `jti`", client: "" },
    audit: "transaction",
    level: "info",
    count: null,
    webhook: null,
  },
  user_changed: {
    description: "A user in tokenpair's own table was changed.",
    fields: {
      userId: "",
      sessionId: "if users changed their own password",
      change:
        "`created`, `imported`, `updated`, `disabled`, `enabled`, `password_changed`, `password_rehashed` (same password, better " +
        "hash), `deleted` or `erased` (what was stored about a deleted user's devices)",
      client: "",
    },
    audit: "transaction",
    level: "info",
    count: null,
    webhook: ({ change }) => (change === "password_changed" ? "password_changed" : null),
  },
  rehash_failed: {
    description: "After a successful login, an outdated password hash could not be replaced.",
    fields: { userId: "", reason: "", client: "" },
    audit: "batch",
    level: "warn",
    count: null,
    webhook: null,
  },
  throttled: {
    description: "A request was refused because too many came before it.",
    fields: {
      scope: "`account`, `address`, `pair`, `device`, `refresh`, `verify` or `blacklist`",
      retryAfter: "seconds",
      userId: "if the account is one of tokenpair's own users",
      client: "",
    },
    audit: "batch",
    auditNote: "batch, on each node once a minute for each account or address, and for at most 1,000 of a scope",
    level: "warn",
    count: ({ scope }) => ["throttled", scope],
    webhook: null,
  },
  unlocked: {
    description: "An operator cleared the failed logins of a user or an address.",
    fields: { userId: "if they were a user's", ip: "if they were an address's", client: "" },
    audit: "transaction",
    level: "info",
    count: null,
    webhook: null,
  },
  csrf_refused: {
    description: "A request with cookies was refused: wrong CSRF token, wrong origin, or two cookies with one name.",
    fields: {
      reason: "",
      userId: "if the cookies name a session",
      sessionId: "if the cookies name a session",
      client: "",
    },
    // Anyone can cause refusals without a token, which would fill the queue.
    audit: ({ sessionId }) => (sessionId === undefined ? "never" : "batch"),
    auditNote: "batch; never if the cookies name no session",
    level: "info",
    count: null,
    webhook: null,
  },
  key_changed: {
    description: "A signing key came into use.",
    fields: { change: "`generated`" },
    audit: "batch",
    level: "info",
    count: null,
    webhook: null,
  },
  legacy_key: {
    description: "At startup, if `legacyRefreshUntil` is set: whether simplejwt refresh tokens are accepted.",
    fields: {
      state: "`accepted`, or `ignored`: the time is over; remove the settings",
      until: "",
      revokedTokens:
        "how many tokens are known to be revoked; 0: import simplejwt's `token_blacklist`, if it has that app",
    },
    audit: "never",
    level: ({ state, revokedTokens }) => (state === "ignored" || revokedTokens === 0 ? "warn" : "info"),
    count: null,
    webhook: null,
  },
  webhook_failed: {
    description: "The webhook's receiver did not accept a message.",
    fields: { messageId: "its `webhook-id`", attempts: "", isGivenUp: "whether it was the last attempt", reason: "" },
    audit: ({ isGivenUp }) => (isGivenUp ? "batch" : "never"),
    auditNote: "batch if `isGivenUp`",
    level: ({ isGivenUp }) => (isGivenUp ? "error" : "warn"),
    count: null,
    webhook: null,
  },
  untrusted_proxy: {
    description:
      "A loopback or private address that is not in `trustedProxies` sent a proxy's header. Emitted once per process.",
    fields: { ip: "the sender's address", header: "`X-Forwarded-For` or `Forwarded`" },
    audit: "never",
    level: "warn",
    count: null,
    webhook: null,
  },
  client_address_unknown: {
    description:
      "A request came through a unix socket without a client address from a trusted proxy, so all such requests count as " +
      "one address. Emitted once per process.",
    fields: { isTrusted: 'whether `trustedProxies` contains "unix"; the proxy then sent no address' },
    audit: "never",
    level: "warn",
    count: null,
    webhook: null,
  },
  store_unwritable: {
    description: "A write to the store failed, and so did a probe. The node writes probes until one succeeds.",
    fields: { reason: "" },
    audit: "never",
    level: "error",
    count: null,
    webhook: null,
  },
  store_recovered: {
    description: "The store can be written to again.",
    fields: {},
    audit: "never",
    level: "info",
    count: null,
    webhook: null,
  },
  audit_dropped: {
    description: "Audit entries were dropped: too many were waiting, or the store refused them.",
    fields: { count: "" },
    audit: "never",
    level: "error",
    count: null,
    webhook: null,
  },
  ...staffEntries,
  ...keyEntries,
  ...feedEntries,
};

function toRefreshPolicy({ outcome, userId }: RefreshEvent, { auditRotations }: AuditSettings): AuditPolicy {
  switch (outcome) {
    case "redeemed":
    case "reuse_detected":
      return "transaction";
    case "rotation_ignored":
      return "batch";
    case "state_lost":
    case "refused":
      // A forged token must not cost the database anything, not even an entry.
      return userId === undefined ? "never" : "batch";
    case "rotated":
    case "replayed":
      return auditRotations ? "transaction" : "never";
    case "not_rotated":
      return auditRotations ? "batch" : "never";
  }
}

/** Returns the entry for the type of an event, with a type that accepts the event. */
function toEntry(event: AuthEvent): EventEntry<AuthEvent> {
  return catalogue[event.type] as unknown as EventEntry<AuthEvent>;
}

/** Returns how this event is written to the audit log. */
export function toAuditPolicy(event: AuthEvent, settings: AuditSettings): AuditPolicy {
  const { audit } = toEntry(event);
  return typeof audit === "function" ? audit(event, settings) : audit;
}

/** Returns the level at which the server logs this event. */
export function toEventLevel(event: AuthEvent): EventLevel {
  const { level } = toEntry(event);
  return typeof level === "function" ? level(event) : level;
}

/** Returns the counter that this event increments, or `null` if it increments no counter. */
export function toCount(event: AuthEvent): Count | null {
  return toEntry(event).count?.(event) ?? null;
}

/** Returns the type of the webhook message about this event, or `null` if no message is sent. */
export function toWebhookType(event: AuthEvent): string | null {
  const { webhook } = toEntry(event);
  return typeof webhook === "function" ? webhook(event) : webhook;
}

/** The types of events that the audit log can contain. */
export const auditedTypes: readonly string[] = Object.freeze(
  Object.entries(catalogue).flatMap(([type, { audit }]) => (audit === "never" ? [] : [type])),
);
