import type { AuthOptions } from "./auth-options.ts";
import type { CommitPosition } from "./core/revocation.ts";
import type { Clock } from "./core/runtime/clock.ts";
import { systemClock } from "./core/runtime/clock.ts";
import { type Random, systemRandom } from "./core/runtime/random.ts";
import type { Schedule } from "./core/runtime/schedule.ts";
import { unrefSchedule } from "./core/runtime/schedule.ts";
import { resolveSettings } from "./core/settings/resolve.ts";
import { SettingError } from "./core/settings/setting-error.ts";
import type { Settings } from "./core/settings/settings.ts";
import type { AuthUser } from "./core/user.ts";
import { toLegacyTokens } from "./crypto/legacy/from-settings.ts";
import { createPasswordHasher, type PasswordHasher } from "./crypto/passwords.ts";
import { createTokens } from "./crypto/tokens/tokens.ts";
import type { EventListener } from "./events/events.ts";
import { createPublisher } from "./events/publisher.ts";
import { type AuditQueue, createAuditQueue } from "./events/queue.ts";
import { createRecorder } from "./events/recorder.ts";
import { createWebhook, type Webhook } from "./events/webhook/webhook.ts";
import type { WebhookTarget } from "./events/webhook/webhook-request.ts";
import type { Deps } from "./flows/deps.ts";
import { bindFlows } from "./flows/index.ts";
import { createCredentialWatch } from "./flows/services/credential-watch.ts";
import { findSessionEnd } from "./flows/sessions/sessions.ts";
import { createStoreMonitor, type StoreMonitor } from "./flows/store-monitor.ts";
import { createLoginQueue } from "./flows/throttling/login-queue.ts";
import { createApplicationUsers, createOwnUsers } from "./flows/users/user-source.ts";
import type { HttpDeps } from "./http/endpoint.ts";
import { createBearerReader } from "./http/request/bearer.ts";
import { createSessionStreams } from "./http/response/session-streams.ts";
import { parseGivenKeys } from "./keys/given-keys.ts";
import { createKeys, type Keys } from "./keys/keys.ts";
import { type Confirmer, createConfirmer } from "./revocation/confirm.ts";
import { createFeed } from "./revocation/feed.ts";
import { createFeedReaders } from "./revocation/readers/create-readers.ts";
import { createFeedLog } from "./revocation/readers/feed-log.ts";
import { createReaderLeases } from "./revocation/readers/reader-leases.ts";
import type { ReadersKnowledge } from "./revocation/readers/readers-knowledge.ts";
import { createRevocationIndex } from "./revocation/revocation-index.ts";
import { createSignals, type Signals } from "./revocation/signals.ts";

/** What a test may replace. */
export interface TestDoubles {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly passwords?: PasswordHasher;
  readonly schedule?: Schedule;
}

/** The parts that make up an `Auth`. */
export interface Parts {
  /** The dependencies of the flows. */
  readonly deps: Deps;
  /** The dependencies of the routes. */
  readonly httpDeps: HttpDeps;
  readonly keys: Keys;
  readonly signals: Signals;
  readonly confirmer: Confirmer;
  readonly auditQueue: AuditQueue;
  readonly storeMonitor: StoreMonitor;
  /** The webhook, or `null` without `webhookUrl`. */
  readonly webhook: Webhook | null;
  /** Called with the lag of each revocation that the feed applies, in seconds. The application's `onLag` is one of them. */
  readonly lagListeners: Set<(seconds: number) => void>;
}

/**
 * Builds and freezes the dependencies of the flows and routes. Starts nothing.
 *
 * @throws SettingError if a setting is missing, unknown or wrong, or contradicts another one.
 */
export function createDeps(
  { store, signingKey, secret, verifyingKey, legacyRefreshKey, onLag, ...rest }: Omit<AuthOptions, "onError">,
  emitToListeners: EventListener,
  { clock = systemClock, random = systemRandom, schedule = unrefSchedule, ...doubles }: TestDoubles = {},
): Parts {
  if (typeof store !== "object" || store === null)
    throw new SettingError("store", 'is missing. Example: store: sqliteStore("app.db")');
  const settings = resolveSettings(rest);
  if (verifyingKey !== undefined) {
    throw new SettingError("verifyingKey", "must not be set: a signing key holds what verifies, too.");
  }
  const { accessTokenLifetime, leeway, findUser } = settings;
  const given = parseGivenKeys({ signingKey, secret, settings });
  const revocations = createRevocationIndex({ leeway, clock });
  const auditQueue = createAuditQueue({ store: store.audit, clock, emit: emitToListeners, schedule });
  const emit = createPublisher({ emit: emitToListeners, queue: auditQueue.add, settings, clock });
  const record = createRecorder(settings, random);
  const keys = createKeys({ given, store, settings, clock, random, emit, record });
  const tokens = createTokens({ keys: () => keys.current().tokens, clock, settings, random });
  const feedLog = createFeedLog({ store: store.feed, clock, globalEpoch: () => revocations.globalEpoch });
  const leases = createReaderLeases({ clock, schedule });
  const readersKnowledge: ReadersKnowledge = {
    whenKnown: () => leases.whenKnown(feedLog.log.lastAwaited),
    get lastAwaited() {
      return feedLog.log.lastAwaited;
    },
    areOver: leases.areOver,
  };
  const credentials = createCredentialWatch({ services: store.services, clock });
  const lagListeners = new Set(onLag === undefined ? [] : [onLag]);
  const feed = createFeed({
    store,
    index: revocations,
    clock,
    settings,
    onApplied: (revocation) => signals.onRevocation(revocation),
    onState: (state, sentAt) => {
      keys.observe(state, sentAt);
      confirmer.observe(state);
      credentials.observe(state);
    },
    onStaleness: (seconds) => signals.onStaleness(seconds),
    onLag: (seconds) => {
      for (const listener of lagListeners) listener(seconds);
    },
    emit,
    follower: feedLog,
    readers: readersKnowledge,
    schedule,
  });
  const readers = createFeedReaders({
    source: {
      log: feedLog.log,
      prepare: feedLog.prepare,
      age: () => feed.staleness() * 1000,
      isFresh: () => feed.isFresh(),
      keyVersion: createKeyVersion(keys),
      requireLease: feed.requireLease,
    },
    leases,
    clock,
    random,
    maxStreams: settings.maxFeedStreams,
    schedule,
  });
  const signals = createSignals({
    index: revocations,
    clock,
    leeway,
    accessTokenLifetime,
    maxStaleness: settings.signalMaxStaleness,
    staleness: feed.staleness,
    findSessionEnd: (sessionId) => findSessionEnd({ store }, sessionId),
    schedule,
  });
  const confirmer = createConfirmer({
    nodes: store.nodes,
    clock,
    nodeId: feed.nodeId,
    readers: readersKnowledge,
    longestLease: feed.longestLease,
    onConfirmed: (by, ms) => emit({ type: "revocation_confirmed", time: clock.now(), by, ms }),
    schedule,
  });
  const storeMonitor = createStoreMonitor({ writes: store.writes, clock, emit, schedule });
  const passwords = doubles.passwords ?? createPasswordHasher(settings);
  const users =
    findUser === undefined
      ? createOwnUsers(store, passwords, settings)
      : createApplicationUsers(store, { ...settings, findUser });
  const deps: Deps = Object.freeze({
    settings,
    store,
    users,
    tokens,
    legacyTokens: toLegacyTokens({ key: legacyRefreshKey, settings, clock }),
    passwords,
    keys,
    loginQueue: createLoginQueue(),
    revocations,
    feed,
    readers,
    confirm: (position: CommitPosition) => confirmer.confirm(position, { timeout: settings.confirmTimeout * 1000 }),
    clock,
    random,
    emit,
    record,
  });
  const httpDeps: HttpDeps = Object.freeze({
    settings,
    flows: bindFlows(deps),
    tokens,
    keys,
    readBearerToken: createBearerReader(settings),
    readers,
    sessionStreams: createSessionStreams({
      signal: (claims, gone) => signals.signal(claims, { until: "session", signal: gone }),
      maxStreams: settings.maxSessionStreams,
      schedule,
    }),
    credentials,
    random,
    clock,
    emit,
  });
  const target = toWebhookTarget(settings);
  const webhook =
    target === null ? null : createWebhook({ target, store: store.outbox, clock, emit, schedule, jitter: Math.random });
  return { deps, httpDeps, keys, signals, confirmer, auditQueue, storeMonitor, webhook, lagListeners };
}

function toWebhookTarget({ webhookUrl: url, webhookSecret: secret }: Settings<AuthUser>): WebhookTarget | null {
  return url === undefined || secret === undefined ? null : { url, secret };
}

/** Returns the function that tells the version of the published keys. While the keys are not known, it is the last one. */
function createKeyVersion(keys: Pick<Keys, "current">): () => number {
  let version = 0;
  return () => {
    try {
      version = Number.parseInt(keys.current().jwks.version, 16);
    } catch {
      // The keys are not known while the database can't be reached.
    }
    return version;
  };
}
