import { describe, expect, it } from "vitest";
import {
  auditedTypes,
  catalogue,
  toAuditPolicy,
  toCount,
  toEventLevel,
  toWebhookType,
} from "../../../src/events/catalogue/catalogue.ts";
import type { AuditPolicy, EventLevel } from "../../../src/events/catalogue/entry.ts";
import { eventCounters } from "../../../src/events/counters.ts";
import type { AuthEvent, EventOfType, RefreshOutcome } from "../../../src/events/events.ts";

const base = { time: 1_800_000_000, client: {} } as const;
const user = { ...base, userId: "7" } as const;
const session = { ...user, sessionId: "s1" } as const;

type Row = readonly [
  name: string,
  event: AuthEvent,
  expected: {
    readonly audit: AuditPolicy;
    /** With `auditRotations`, if it differs. */
    readonly rotations?: AuditPolicy;
    readonly level?: EventLevel;
    readonly count?: readonly [counter: string, label: string];
    readonly webhook?: string;
  },
];

const refreshed = (outcome: RefreshOutcome): EventOfType<"refresh"> => ({ type: "refresh", outcome, ...session });
const refreshCount = (outcome: RefreshOutcome) => ["refreshes", outcome] as const;
const failed = { type: "login_failed", reason: "wrong password", ...base } as const;
const undelivered = { type: "webhook_failed", messageId: "msg_1", attempts: 1, reason: "answered 500" } as const;
const throttled = { type: "throttled", retryAfter: 60, ...base } as const;

const rows: readonly Row[] = [
  ["a login", { type: "login", ...session }, { audit: "transaction", count: ["logins", "success"] }],
  ["a new device", { type: "new_device", ...session }, { audit: "transaction", webhook: "new_device" }],
  [
    "a login that needs a second step",
    { type: "login_pending", ...user },
    { audit: "batch", count: ["logins", "second_factor_required"] },
  ],
  [
    "a wrong second step",
    { ...failed, ...user, code: "second_factor_invalid" },
    { audit: "batch", count: ["logins", "second_factor_invalid"] },
  ],
  [
    "a second step that came too late",
    { ...failed, ...user, code: "ticket_invalid" },
    { audit: "batch", count: ["logins", "ticket_invalid"] },
  ],
  [
    "an invented ticket",
    { ...failed, code: "ticket_invalid" },
    { audit: "never", count: ["logins", "ticket_invalid"] },
  ],
  [
    "an action in the console that was refused",
    { type: "staff_refused", ...user, action: "deleteStaffUser", code: "permission_denied", targetId: "8" },
    { audit: "batch", level: "warn" },
  ],
  ["a confirmation", { type: "session_confirmed", amr: "otp", ...session }, { audit: "transaction" }],
  [
    "a login with a wrong password",
    { ...failed, code: "no_active_account" },
    { audit: "batch", count: ["logins", "no_active_account"] },
  ],
  [
    "a password change with a wrong password",
    { ...failed, ...session, code: "wrong_password" },
    { audit: "batch", count: ["logins", "wrong_password"] },
  ],
  ["a login under load", { ...failed, code: "unavailable" }, { audit: "never", count: ["logins", "unavailable"] }],
  ["a rotation", refreshed("rotated"), { audit: "never", rotations: "transaction", count: refreshCount("rotated") }],
  ["a replay", refreshed("replayed"), { audit: "never", rotations: "transaction", count: refreshCount("replayed") }],
  ["a redemption", refreshed("redeemed"), { audit: "transaction", count: refreshCount("redeemed") }],
  [
    "a refused refresh token of simplejwt",
    { type: "refresh", outcome: "refused", ...user },
    { audit: "batch", count: refreshCount("refused") },
  ],
  [
    "a refresh without rotation",
    refreshed("not_rotated"),
    { audit: "never", rotations: "batch", count: refreshCount("not_rotated") },
  ],
  [
    "a refresh whose client ignores the new refresh token",
    refreshed("rotation_ignored"),
    { audit: "batch", count: refreshCount("rotation_ignored") },
  ],
  [
    "a detected reuse",
    refreshed("reuse_detected"),
    { audit: "transaction", level: "warn", count: refreshCount("reuse_detected"), webhook: "reuse_detected" },
  ],
  ["a lost state", refreshed("state_lost"), { audit: "batch", level: "warn", count: refreshCount("state_lost") }],
  [
    "a lost state of an unknown session",
    { type: "refresh", outcome: "state_lost", ...base },
    { audit: "never", level: "warn", count: refreshCount("state_lost") },
  ],
  ["a refused genuine token", refreshed("refused"), { audit: "batch", count: refreshCount("refused") }],
  [
    "a forged token",
    { type: "refresh", outcome: "refused", ...base },
    { audit: "never", count: refreshCount("refused") },
  ],
  [
    "a revoked session",
    { type: "sessions_revoked", reason: "logout", sessions: 1, ...session },
    { audit: "transaction", count: ["revocations", "logout"] },
  ],
  ["a revoked token", { type: "token_revoked", tokenId: "t1", ...base }, { audit: "transaction" }],
  [
    "a changed password",
    { type: "user_changed", change: "password_changed", ...user },
    { audit: "transaction", webhook: "password_changed" },
  ],
  ...(["created", "imported", "updated", "disabled", "enabled", "password_rehashed", "deleted", "erased"] as const).map(
    (change): Row => [
      `a user whose change is ${change}`,
      { type: "user_changed", change, ...user },
      { audit: "transaction" },
    ],
  ),
  [
    "a failed rehash",
    { type: "rehash_failed", reason: "StoreUnavailableError", ...user },
    { audit: "batch", level: "warn" },
  ],
  ...(["account", "address", "pair", "device", "refresh", "verify", "blacklist"] as const).map(
    (scope): Row => [
      `a throttled request with the scope ${scope}`,
      { ...throttled, scope },
      { audit: "batch", level: "warn", count: ["throttled", scope] },
    ],
  ),
  [
    "an export of the audit log",
    { type: "audit_exported", format: "csv", filter: "", ...session },
    { audit: "transaction", level: "warn" },
  ],
  ["an unlocked user", { type: "unlocked", ...user }, { audit: "transaction" }],
  ["an unlocked address", { type: "unlocked", ip: "192.0.2.7", ...base }, { audit: "transaction" }],
  ["a CSRF refusal in a session", { type: "csrf_refused", reason: "wrong token", ...session }, { audit: "batch" }],
  ["a CSRF refusal without a session", { type: "csrf_refused", reason: "no token", ...base }, { audit: "never" }],
  [
    "a key of simplejwt in use",
    { type: "legacy_key", state: "accepted", until: 2, revokedTokens: 1, time: 1 },
    { audit: "never" },
  ],
  [
    "a key of simplejwt without a blacklist",
    { type: "legacy_key", state: "accepted", until: 2, revokedTokens: 0, time: 1 },
    { audit: "never", level: "warn" },
  ],
  [
    "a key of simplejwt whose time is over",
    { type: "legacy_key", state: "ignored", until: 1, revokedTokens: 1, time: 1 },
    { audit: "never", level: "warn" },
  ],
  ["a generated key", { type: "key_changed", change: "generated", time: 1 }, { audit: "batch" }],
  [
    "an added key",
    { type: "key_added", kid: "k1", algorithm: "ES256", signsFrom: 7, ...base },
    { audit: "transaction", count: ["keys", "key_added"] },
  ],
  ["a retired key", { type: "key_retired", kid: "k1", retireAt: 7, ...base }, { audit: "transaction" }],
  [
    "a rotated secret",
    { type: "secret_rotated", kid: "r2", isImmediate: false, ...base },
    { audit: "transaction", level: "warn" },
  ],
  ["an adopted refresh key", { type: "refresh_key_adopted", ...base }, { audit: "transaction" }],
  ["keys that were sealed again", { type: "keys_rewrapped", kekId: "b", keys: 3, ...base }, { audit: "transaction" }],
  [
    "a key that a node can't open",
    { type: "keys_unreadable", kid: "k1", kekId: "b", reason: "the node has no such key", time: 1 },
    { audit: "never", level: "error", count: ["keys", "keys_unreadable"] },
  ],
  ["an added service", { type: "service_added", service: "shop", scopes: ["feed"], ...base }, { audit: "transaction" }],
  [
    "a service with a new credential",
    { type: "service_rotated", service: "shop", previousUntil: null, ...base },
    { audit: "transaction" },
  ],
  ["a revoked service", { type: "service_revoked", service: "shop", ...base }, { audit: "transaction" }],
  ...(["invalid_client", "insufficient_scope", "throttled"] as const).map(
    (refusal): Row => [
      `a refused service whose refusal is ${refusal}`,
      { type: "service_refused", refusal, ...base },
      { audit: "never", level: "warn", count: ["services", refusal] },
    ],
  ),
  [
    "a webhook message that is sent again",
    { ...undelivered, time: 1, isGivenUp: false },
    { audit: "never", level: "warn" },
  ],
  [
    "a webhook message that is given up",
    { ...undelivered, time: 1, isGivenUp: true },
    { audit: "batch", level: "error" },
  ],
  [
    "an untrusted proxy",
    { type: "untrusted_proxy", ip: "10.0.0.1", header: "Forwarded", time: 1 },
    { audit: "never", level: "warn" },
  ],
  [
    "a client without an address",
    { type: "client_address_unknown", isTrusted: false, time: 1 },
    { audit: "never", level: "warn" },
  ],
  ["failed writes", { type: "store_unwritable", reason: "", time: 1 }, { audit: "never", level: "error" }],
  ["writes that succeed again", { type: "store_recovered", time: 1 }, { audit: "never" }],
  ["dropped audit entries", { type: "audit_dropped", count: 3, time: 1 }, { audit: "never", level: "error" }],
  [
    "a stale feed",
    { type: "feed_stale", staleSeconds: 11, reason: "no read has been answered", time: 1 },
    { audit: "never", level: "error", count: ["feed", "feed_stale"] },
  ],
  ["a recovered feed", { type: "feed_recovered", time: 1 }, { audit: "never", count: ["feed", "feed_recovered"] }],
  [
    "a reloaded feed",
    { type: "feed_reloaded", revocations: 5, time: 1 },
    { audit: "never", level: "warn", count: ["feed", "feed_reloaded"] },
  ],
  [
    "a confirmed revocation",
    { type: "revocation_confirmed", by: "acks", ms: 6, time: 1 },
    { audit: "never", count: ["confirmations", "acks"] },
  ],
  ...(["expiry", "pending"] as const).map(
    (by): Row => [
      `a revocation that is confirmed by ${by}`,
      { type: "revocation_confirmed", by, ms: 10_025, time: 1 },
      { audit: "never", level: "warn", count: ["confirmations", by] },
    ],
  ),
  [
    "a lost connection for notifications",
    { type: "listen_lost", reason: "ECONNRESET", time: 1 },
    { audit: "never", level: "warn", count: ["feed", "listen_lost"] },
  ],
  [
    "a recovered connection for notifications",
    { type: "listen_recovered", time: 1 },
    { audit: "never", count: ["feed", "listen_recovered"] },
  ],
];

const auditRotations = true;

describe("the catalogue of events", () => {
  it.each(rows)("says how %s gets into the audit log", (_, event, { audit, rotations = audit }) => {
    expect(toAuditPolicy(event, { auditRotations: false })).toBe(audit);
    expect(toAuditPolicy(event, { auditRotations })).toBe(rotations);
  });

  it.each(rows)("says the level at which %s is logged", (_, event, { level = "info" }) => {
    expect(toEventLevel(event)).toBe(level);
  });

  it.each(rows)("says which counter %s increments", (_, event, { count = null }) => {
    expect(toCount(event)).toEqual(count);
  });

  it.each(rows)("says whether the webhook sends %s", (_, event, { webhook = null }) => {
    expect(toWebhookType(event)).toBe(webhook);
  });

  it("lists the types that the audit log can have entries of, as the policies say", () => {
    const audited = rows.filter(([, event]) => toAuditPolicy(event, { auditRotations }) !== "never");
    expect([...auditedTypes].sort()).toEqual([...new Set(audited.map(([, { type }]) => type))].sort());
  });

  it("is tested with every type", () => {
    expect([...new Set(rows.map(([, { type }]) => type))].sort()).toEqual(Object.keys(catalogue).sort());
  });
});

describe("the counters of events", () => {
  it.each(["refreshes", "throttled", "feed", "keys", "services"] as const)(
    "export every value of %s from the start",
    (counter) => {
      const counts = rows.flatMap(([, event]) => [toCount(event)]);
      const labels = counts.flatMap((count) => (count?.[0] === counter ? [count[1]] : []));
      expect([...eventCounters[counter].initial].sort()).toEqual([...new Set(labels)].sort());
    },
  );
});
