import { hkdfSync } from "node:crypto";
import { type AuditQueue, createAuditQueue } from "./audit/queue.ts";
import { createRepetitions } from "./audit/repetitions.ts";
import { createWebhook, type Webhook } from "./audit/webhook.ts";
import type { WebhookTarget } from "./audit/webhook-request.ts";
import type { AuthOptions } from "./auth.ts";
import { toKeeping } from "./core/audit.ts";
import type { Clock, Schedule } from "./core/clock.ts";
import type { EventListener } from "./core/events.ts";
import { resolveSettings } from "./core/resolve-settings.ts";
import type { Settings } from "./core/settings.ts";
import type { AuthUser } from "./core/user.ts";
import { createPasswordHasher, type PasswordHasher } from "./crypto/passwords.ts";
import { type Random, systemRandom } from "./crypto/secrets.ts";
import { createHmacKey, createKeySet } from "./crypto/signing-key.ts";
import { createTokens } from "./crypto/tokens.ts";
import { createAuditor } from "./flows/auditor.ts";
import { createApplicationUsers, createOwnUsers } from "./flows/user-source.ts";
import { createBearerReader } from "./http/authorization-header.ts";
import type { HttpDeps } from "./http/endpoint.ts";
import { createFeed } from "./revocation/feed.ts";
import { createRevocationIndex } from "./revocation/revocation-index.ts";
import { unrefSchedule } from "./revocation/schedule.ts";
import { createSignals, type Signals } from "./revocation/signals.ts";
import { systemClock } from "./system-clock.ts";

/** What a test may put in the machine's place. */
export interface Surroundings {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly passwords?: PasswordHasher;
  readonly schedule?: Schedule;
}

/**
 * Builds and freezes what the flows and routes work with.
 *
 * @throws TypeError that names the setting and the fix.
 */
export function createDeps(
  { store, signingKey, verifyingKey, onLag, ...rest }: Omit<AuthOptions, "onError">,
  tell: EventListener,
  {
    clock = systemClock,
    random = systemRandom,
    passwords: givenPasswords,
    schedule = unrefSchedule,
  }: Surroundings = {},
): {
  readonly deps: HttpDeps;
  readonly signals: Signals;
  readonly auditQueue: AuditQueue;
  readonly webhook: Webhook | null;
} {
  if (store === undefined) throw new TypeError('store: missing; take sqliteStore("app.db") of "tokenpair/sqlite"');
  if (signingKey === undefined) {
    throw new TypeError("signingKey: missing; make one with: openssl rand -hex 48, and keep it out of the code");
  }
  const settings = resolveSettings(rest);
  if (verifyingKey !== undefined) {
    throw new TypeError(`verifyingKey: ${settings.algorithm} verifies with the signing key itself; remove it`);
  }
  const { accessTokenLifetime, leeway, maxStaleness, findUser } = settings;
  const keys = createKeySet(createHmacKey({ algorithm: settings.algorithm, secret: signingKey }));
  const revocations = createRevocationIndex({ accessTokenLifetime, leeway, clock });
  const signals = createSignals({ index: revocations, clock, leeway });
  const auditQueue = createAuditQueue({ store: store.audit, clock, emit: tell, schedule });
  const emit = toEmit(tell, auditQueue, settings, clock);
  const feed = createFeed({
    store: store.feed,
    index: revocations,
    clock,
    accessTokenLifetime,
    leeway,
    maxStaleness,
    onApplied: signals.onRevocation,
    onLag,
    emit,
  });
  const passwords = givenPasswords ?? createPasswordHasher(settings);
  const users =
    findUser === undefined
      ? createOwnUsers(store, passwords, settings)
      : createApplicationUsers(store, settings.verifyCredentials, findUser);
  const deps = Object.freeze({
    settings,
    store,
    users,
    tokens: createTokens({ keys, clock, settings, random }),
    passwords,
    revocations,
    feed,
    clock,
    random,
    emit,
    audit: createAuditor(settings, random),
    readBearerToken: createBearerReader(settings),
    csrfKey: deriveKey(signingKey, "tokenpair csrf v1"),
    deviceKey: deriveKey(signingKey, "tokenpair device v1"),
  });
  const target = toWebhookTarget(settings);
  const webhook =
    target === null ? null : createWebhook({ target, store: store.outbox, clock, emit, schedule, jitter: Math.random });
  return { deps, signals, auditQueue, webhook };
}

function toWebhookTarget({ webhookUrl: url, webhookSecret: secret }: Settings<AuthUser>): WebhookTarget | null {
  return url === undefined || secret === undefined ? null : { url, secret };
}

/** Tells the listeners, and the audit log of what no transaction writes. */
function toEmit(
  tell: EventListener,
  queue: AuditQueue,
  { auditRetention, auditRotations }: Pick<Settings, "auditRetention" | "auditRotations">,
  clock: Clock,
): EventListener {
  const isRepeated = createRepetitions(clock);
  return (event) => {
    tell(event);
    // A renewal changes no generation, and is no more than a note of use.
    const isRenewal = event.type === "refresh" && event.outcome === "renewed";
    const isQueued = toKeeping(event) === "batch" || (isRenewal && auditRotations);
    if (auditRetention > 0 && isQueued && !isRepeated(event)) queue.add(event);
  };
}

/** A key of its own for each purpose, the same on every node (RFC 5869). */
function deriveKey(signingKey: string | Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", signingKey, "", purpose, 32));
}
