import { AuthError } from "../core/errors.ts";
import type { FeedState } from "../core/revocation.ts";
import type { Clock } from "../core/runtime/clock.ts";
import type { Random } from "../core/runtime/random.ts";
import { SettingError } from "../core/settings/setting-error.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { Store } from "../core/store/index.ts";
import type { KeyRecords } from "../core/store/keys.ts";
import type { EventListener } from "../events/events.ts";
import type { Recorder } from "../events/recorder.ts";
import { type GivenKeys, isComplete } from "./given-keys.ts";
import { toKeyEvents } from "./key-events.ts";
import { toMissing } from "./missing.ts";
import { createReadLimit, findKid } from "./new-key.ts";
import { retryChange } from "./retry-change.ts";
import { type OpenedRing, openRing, UnreadableKeyError, withOpened } from "./ring.ts";
import { type KeySettings, type KeySnapshot, toFirstSnapshot, toKeySnapshot, withSameTokens } from "./snapshot.ts";

/** The keys of a node. A running node learns about every change of the key ring through the revocation feed. */
export interface Keys {
  /**
   * Loads the keys. Later calls do nothing.
   *
   * @throws SettingError for `keyEncryptionKey` if it can't decrypt the keys in the database, or for `secret`.
   * @throws StoreUnavailableError if the store can't answer.
   */
  load(): Promise<void>;
  /**
   * Fulfils when the keys are loaded and are known to be current. Await it before creating or verifying refresh, CSRF or
   * device tokens. It nearly always fulfils immediately.
   *
   * @param token the token that will be verified. If its key may be new, the keys are read again.
   * @param options.maxAge after how many milliseconds without news from the feed the keys are read again. Default, and at most:
   * 10,000.
   * @throws AuthError `unavailable` if the keys can't be decrypted.
   * @throws StoreUnavailableError if the store can't answer.
   */
  ready(token?: string, options?: { readonly maxAge?: number }): Promise<void>;
  /**
   * Returns whether a refused token has the name of a key that this node doesn't know. Another node may just have added
   * that key, so `ready` may find it. No I/O.
   */
  mayKnowLater(token: string): boolean;
  /**
   * Returns the current keys. Before they are loaded, returns those in the settings if no other keys verify access tokens.
   *
   * @throws AuthError `unavailable` if the keys are not loaded. This can't happen after `ready`.
   */
  current(): KeySnapshot;
  /**
   * Takes the state from a read of the feed. Reads the keys again if they have changed or are due to change.
   *
   * @param sentAt the time before the read was sent. Default: now.
   */
  observe(state: Pick<FeedState, "keysVersion" | "incarnation">, sentAt?: Instant): void;
  /** Returns whether the keys could be decrypted after their last change. If not, the node keeps the earlier keys. */
  isReadable(): boolean;
}

/** The options of `createKeys`. */
export interface KeysOptions {
  readonly given: GivenKeys;
  readonly store: Pick<Store, "keys" | "sessions">;
  readonly settings: KeySettings & Pick<Settings, "maxStaleness">;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: EventListener;
  readonly record: Recorder;
}

/** The keys that were loaded, and when they were loaded. */
interface Loaded {
  readonly snapshot: KeySnapshot;
  readonly opened: OpenedRing;
  /** The names of all keys and secrets in the database, including retired ones. */
  readonly names: ReadonlySet<string>;
  readonly now: number;
  readonly at: Instant;
}

/** The sources of a snapshot. */
interface Taken extends Pick<Loaded, "opened" | "at"> {
  readonly records: KeyRecords;
  readonly former: Loaded | null;
  /** The incarnation of the database that was known before the records were read. */
  readonly from: string | null;
}

/** The time on both clocks, in milliseconds. The monotonic clock may stop while the machine is suspended. */
type Instant = Readonly<Record<"monotonic" | "wall", number>>;

/** The number of milliseconds without news from the feed after which `ready` reads the keys itself. */
const mostAge = 10_000;

/** The number of milliseconds after which the node tries again to decrypt the same keys. */
const unreadableDelay = 60_000;

/** Creates the keys of a node. Reads nothing until `load` or `ready` is called. */
export function createKeys({ given, store, settings, clock, random, emit, record }: KeysOptions): Keys {
  const first = isComplete(given) ? toFirstSnapshot(given) : null;
  let loaded: Loaded | null = null;
  let loading: Promise<void> | null = null;
  /** The last time at which the loaded keys were known to be the newest. */
  let confirmedAt: Instant | null = null;
  /** The version that couldn't be decrypted, and the time of the attempt. `null` if the last version could be. */
  let unreadable: { readonly version: number; readonly at: number } | null = null;
  /** The incarnation of the database that the feed has last reported. */
  let incarnation: string | null = null;
  let loadedFrom: string | null = null;
  /** The time, on the monotonic clock, since which the feed has reported other keys. `null` if it hasn't. */
  let outdatedSince: number | null = null;
  /** Whether this has lasted too long. If so, the loaded keys may include a key that has been retired. */
  let isOutdated = false;
  const mayReadAgain = createReadLimit(clock);

  const toInstant = (): Instant => ({ monotonic: clock.monotonic(), wall: clock.wall() });
  const toAge = (at: Instant) => Math.max(clock.monotonic() - at.monotonic, clock.wall() - at.wall);

  /**
   * Reads and decrypts the keys, and adds missing ones. If several nodes add the same keys, one succeeds; the others read
   * again.
   */
  async function read(): Promise<
    Pick<Loaded, "opened"> & { readonly records: KeyRecords; readonly from: string | null }
  > {
    return retryChange(async () => {
      const from = incarnation;
      const records = await store.keys.read();
      const opened = open(records, from);
      const missing = toMissing(given, { records, opened, settings, random });
      if (missing === null) return { records, opened, from };
      if (missing.add?.some(({ use }) => use === "secret")) await requireNoSession();
      const events = toKeyEvents(missing, records);
      if (await store.keys.change(records.version, missing, () => record(events))) {
        for (const event of events) emit(event);
      }
      return null;
    });
  }

  /** Throws if the database has sessions but no secret: a new secret would make all of them invalid. */
  async function requireNoSession(): Promise<void> {
    const { sessions } = await store.sessions.list({ limit: 1 });
    if (sessions.length > 0) throw sessionsOfOtherSecret();
  }

  function open(records: KeyRecords, from: string | null): OpenedRing {
    try {
      return openRing(records, given.keks);
    } catch (error) {
      if ((loaded !== null || unreadable !== null) && error instanceof UnreadableKeyError) {
        reportUnreadable(error, records.version);
        if (loaded !== null) keepOpened(records, loaded, from);
      }
      throw error;
    }
  }

  /** Reports, once per version, that the keys can't be decrypted. The node keeps the earlier keys. */
  function reportUnreadable({ kid, kekId, message: reason }: UnreadableKeyError, version: number): void {
    if (unreadable?.version !== version) emit({ type: "keys_unreadable", time: clock.now(), kid, kekId, reason });
    unreadable = { version, at: clock.monotonic() };
  }

  /** Keeps only those of the loaded keys that are still in the database. A key that was retired may have leaked. */
  function keepOpened(records: KeyRecords, former: Loaded, from: string | null): void {
    loaded = null;
    const kept = withOpened(records, former.opened);
    try {
      take(toKeySnapshot(given, { ...kept, settings }), { ...kept, former, from, at: toInstant() });
    } catch {
      // Without a key that signs, or without a secret, the node must not answer.
    }
  }

  async function reload(): Promise<void> {
    const at = toInstant();
    const { records, opened, from } = await read();
    take(toKeySnapshot(given, { records, opened, settings }), { records, opened, former: loaded, from, at });
    unreadable = null;
    setConfirmed(at);
  }

  function setConfirmed(at: Instant): void {
    if (confirmedAt === null || confirmedAt.monotonic < at.monotonic) confirmedAt = at;
  }

  /** Returns whether the loaded keys were the newest a short time ago. */
  const isConfirmed = (age: number) => confirmedAt !== null && toAge(confirmedAt) <= Math.min(age, mostAge);

  function take(snapshot: KeySnapshot, { records, opened, former, from, at }: Taken): void {
    const names = new Set(records.keys.map(({ kid }) => kid));
    loaded = { snapshot: withSameTokens(snapshot, former?.snapshot), opened, names, now: records.now, at };
    loadedFrom = from;
    setCurrent();
  }

  function setCurrent(): void {
    outdatedSince = null;
    isOutdated = false;
  }

  /** Loads the keys, or waits for the load in flight. There is only one load at a time. */
  function run(): Promise<void> {
    loading ??= reload().finally(() => {
      loading = null;
    });
    return loading;
  }

  /** Returns whether the snapshot must be created again, by the database's clock. */
  function isDue({ snapshot: { until }, now, at }: Loaded): boolean {
    if (until === null) return false;
    return now + toAge(at) / 1000 >= until;
  }

  /** Returns whether the keys recently couldn't be decrypted. */
  const isHopeless = () => unreadable !== null && clock.monotonic() - unreadable.at < unreadableDelay;

  /** Reads the keys again. If this fails for too long, the loaded keys are no longer used. */
  function follow(): void {
    outdatedSince ??= clock.monotonic();
    // As for a revocation that the node hasn't read yet.
    isOutdated = clock.monotonic() - outdatedSince > settings.maxStaleness * 1000;
    run().catch(() => {});
  }

  function mayKnowLater(token: string): boolean {
    // Without a key ring, no other node can add a key.
    if (given.keks === null || loaded === null || unreadable !== null) return false;
    const kid = findKid(token);
    return kid !== null && !loaded.names.has(kid);
  }

  /** Reads the keys again because of an unknown key. A load in flight may have begun before that key was added. */
  async function lookForNewKey(): Promise<void> {
    await loading?.catch(() => {});
    if (loading !== null || mayReadAgain()) await runOrRefuse();
  }

  async function runOrRefuse(): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (!(error instanceof SettingError)) throw error;
      if (loaded === null || isOutdated) throw unreadableKeys(error);
    }
  }

  return {
    async load() {
      if (loaded === null) await run();
    },
    async ready(token, { maxAge = mostAge } = {}) {
      if (token !== undefined && mayKnowLater(token)) await lookForNewKey();
      const isKnown = loaded !== null && !isOutdated;
      if (isKnown && (isConfirmed(maxAge) || isHopeless())) return;
      if (loaded === null && isHopeless()) throw unreadableKeys();
      await runOrRefuse();
    },
    mayKnowLater,
    current() {
      // Before the first load, the keys in the settings may be all that there are.
      const snapshot = loaded?.snapshot ?? (unreadable === null ? first : null);
      if (snapshot === null) throw new AuthError("unavailable", "the keys are not loaded");
      if (isOutdated) throw unreadableKeys();
      return snapshot;
    },
    observe(state, sentAt = toInstant()) {
      incarnation = state.incarnation;
      if (loaded === null) {
        if (unreadable !== null && (state.keysVersion !== unreadable.version || !isHopeless())) run().catch(() => {});
        return;
      }
      loadedFrom ??= incarnation;
      if (state.keysVersion !== loaded.snapshot.version || incarnation !== loadedFrom || isDue(loaded)) return follow();
      setCurrent();
      if (unreadable === null) setConfirmed(sentAt);
      else if (!isHopeless()) run().catch(() => {});
    },
    isReadable: () => unreadable === null,
  };
}

function unreadableKeys(cause?: unknown): AuthError {
  return new AuthError("unavailable", "the keys have changed and can't be read", { cause });
}

function sessionsOfOtherSecret(): SettingError {
  return new SettingError(
    "secret",
    "is missing: the sessions in the database were made with another one. If the signing key was a secret before, set it as " +
      "secret, and no user has to log in again. If it is lost, run: tokenpair sessions revoke --all",
  );
}
