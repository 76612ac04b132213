import { AuthError, StoreUnavailableError } from "../core/errors.ts";
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
import { type OpenedRing, openRing, UnreadableKeyError, withOpened } from "./ring.ts";
import { type KeySettings, type KeySnapshot, toFirstSnapshot, toKeySnapshot } from "./snapshot.ts";

/** A node's keys. They follow the database: every change of the key ring reaches a running node through the revocation feed. */
export interface Keys {
  /**
   * Loads the keys. Later calls return what is loaded.
   *
   * @throws SettingError about `keyEncryptionKey`, if it lacks a key that the database was sealed with, or about `secret`;
   * StoreUnavailableError.
   */
  load(): Promise<void>;
  /**
   * Fulfils when the keys are loaded and were current a moment ago. Await it before refresh, CSRF or device tokens are made or
   * verified. Nearly always fulfils at once.
   *
   * @param token which will be verified. If another node may have added its key a moment ago, the keys are read again.
   * @throws AuthError `unavailable`; StoreUnavailableError.
   */
  ready(token?: string): Promise<void>;
  /**
   * Returns whether a token that was refused names a key that this node doesn't know, and that another node may have added a moment
   * ago: then `ready` may find it. No I/O.
   */
  mayKnowLater(token: string): boolean;
  /**
   * Returns the keys of this moment. Before they are loaded: those in the settings, if no others verify access tokens.
   *
   * @throws AuthError `unavailable` if the keys are not loaded. Never after `ready`.
   */
  current(): KeySnapshot;
  /** Tells what a read of the revocation feed has returned. Reads the keys again if they have changed or are due to change. */
  observe(state: Pick<FeedState, "keysVersion" | "incarnation">): void;
  /** Returns whether the last change of the keys could be opened. If not, the node keeps the keys that it had before. */
  isReadable(): boolean;
}

/** What keys need. */
export interface KeysOptions {
  readonly given: GivenKeys;
  readonly store: Pick<Store, "keys" | "sessions">;
  readonly settings: KeySettings & Pick<Settings, "maxStaleness">;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: EventListener;
  readonly record: Recorder;
}

/** What was loaded, and when. */
interface Loaded {
  readonly snapshot: KeySnapshot;
  readonly opened: OpenedRing;
  /** The names of all keys and secrets in the database, those included that are retired. */
  readonly names: ReadonlySet<string>;
  readonly now: number;
  readonly at: Instant;
}

/** What a snapshot was made from. */
interface Taken extends Pick<Loaded, "opened" | "at"> {
  readonly records: KeyRecords;
  readonly former: Loaded | null;
  /** The incarnation of the database that was known before the records were read. */
  readonly from: string | null;
}

/** Both clocks, in milliseconds. The monotonic one may stop while the machine is suspended. */
type Instant = Readonly<Record<"monotonic" | "wall", number>>;

/** Milliseconds without news of the feed after which `ready` looks itself: a node that was suspended may lack a key. */
const longestSilence = 10_000;

/** How often a load begins again because another process has changed the keys meanwhile. */
const maxTries = 20;

/** Milliseconds after which keys that couldn't be opened are tried again, if they haven't changed. */
const unreadableDelay = 60_000;

/** Creates the keys of a node. Reads nothing until `load` or `ready` is called. */
export function createKeys({ given, store, settings, clock, random, emit, record }: KeysOptions): Keys {
  const first = isComplete(given) ? toFirstSnapshot(given) : null;
  let loaded: Loaded | null = null;
  let loading: Promise<void> | null = null;
  /** When the loaded keys were known to be the newest, on the monotonic clock. */
  let confirmedAt = Number.NEGATIVE_INFINITY;
  /** The version that couldn't be opened, and when that was tried; `null` if the last one could. */
  let unreadable: { readonly version: number; readonly at: number } | null = null;
  /** The incarnation of the database that the feed has reported last, and the one that the keys were loaded from. */
  let incarnation: string | null = null;
  let loadedFrom: string | null = null;
  /** Since when the feed reports other keys than the loaded ones, on the monotonic clock; `null` if it doesn't. */
  let outdatedSince: number | null = null;
  /** Whether that is so for too long: a key that was retired might be among the loaded ones. */
  let isOutdated = false;
  const mayReadAgain = createReadLimit(clock);

  const toInstant = (): Instant => ({ monotonic: clock.monotonic(), wall: clock.wall() });

  /** Reads and opens the keys, and adds what is missing. Of several nodes that add the same, one wins and the others read again. */
  async function read(): Promise<
    Pick<Loaded, "opened"> & { readonly records: KeyRecords; readonly from: string | null }
  > {
    for (let tries = 0; tries < maxTries; tries++) {
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
    }
    throw new StoreUnavailableError("keys.change: the keys were changed again and again");
  }

  /** A database with sessions but without a secret had it in a setting, and a new one would end them all. */
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

  /** Once for each version: the node keeps the keys that it has. */
  function reportUnreadable({ kid, kekId, message: reason }: UnreadableKeyError, version: number): void {
    if (unreadable?.version !== version) emit({ type: "keys_unreadable", time: clock.now(), kid, kekId, reason });
    unreadable = { version, at: clock.monotonic() };
  }

  /** Keeps those of the loaded keys that the database still has: one that was retired may have leaked. */
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
    confirmedAt = Math.max(confirmedAt, at.monotonic);
  }

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

  /** One load at a time. */
  function run(): Promise<void> {
    loading ??= reload().finally(() => {
      loading = null;
    });
    return loading;
  }

  /** Returns whether the time has come at which the snapshot must be made again, on the database's clock. */
  function isDue({ snapshot: { until }, now, at }: Loaded): boolean {
    if (until === null) return false;
    const passed = Math.max(clock.monotonic() - at.monotonic, clock.wall() - at.wall);
    return now + passed / 1000 >= until;
  }

  /** Whether keys couldn't be opened a moment ago. */
  const isHopeless = () => unreadable !== null && clock.monotonic() - unreadable.at < unreadableDelay;

  /** Reads the keys again. If it fails for too long although the feed can be read, the loaded ones don't count any more. */
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

  /** Reads the keys again because of an unknown one. The load in flight may have begun before that was added. */
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
    async ready(token) {
      if (token !== undefined && mayKnowLater(token)) await lookForNewKey();
      const isKnown = loaded !== null && !isOutdated;
      if (isKnown && (clock.monotonic() - confirmedAt <= longestSilence || isHopeless())) return;
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
    observe(state) {
      incarnation = state.incarnation;
      if (loaded === null) {
        if (unreadable !== null && (state.keysVersion !== unreadable.version || !isHopeless())) run().catch(() => {});
        return;
      }
      loadedFrom ??= incarnation;
      if (state.keysVersion !== loaded.snapshot.version || incarnation !== loadedFrom || isDue(loaded)) return follow();
      setCurrent();
      if (unreadable === null) confirmedAt = clock.monotonic();
      else if (!isHopeless()) run().catch(() => {});
    },
    isReadable: () => unreadable === null,
  };
}

/** Keeps the key set if it has the same keys: another one empties the cache of verified tokens. */
function withSameTokens(snapshot: KeySnapshot, former: KeySnapshot | undefined): KeySnapshot {
  if (former?.names !== snapshot.names) return snapshot;
  // The name of a secret's key says nothing about the secret. That of any other key is made from the key.
  const isSame = snapshot.csrfKeys.every((key, index) => Buffer.compare(key, former.csrfKeys[index] ?? noBytes) === 0);
  return isSame ? Object.freeze({ ...snapshot, tokens: former.tokens }) : snapshot;
}

const noBytes = new Uint8Array();

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
