import { AuthError, StoreUnavailableError } from "../core/errors.ts";
import type { FeedState } from "../core/revocation.ts";
import type { Clock } from "../core/runtime/clock.ts";
import type { Random } from "../core/runtime/random.ts";
import { SettingError } from "../core/settings/setting-error.ts";
import type { Store } from "../core/store/index.ts";
import type { KeyRecords } from "../core/store/keys.ts";
import type { EventListener } from "../events/events.ts";
import type { Recorder } from "../events/recorder.ts";
import { type GivenKeys, isComplete } from "./given-keys.ts";
import { toKeyEvents } from "./key-events.ts";
import { toMissing } from "./missing.ts";
import { type OpenedRing, openRing, UnreadableKeyError } from "./ring.ts";
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
   * @throws AuthError `unavailable`; StoreUnavailableError.
   */
  ready(): Promise<void>;
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
  readonly settings: KeySettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: EventListener;
  readonly record: Recorder;
}

/** What was loaded, and when. */
interface Loaded {
  readonly snapshot: KeySnapshot;
  readonly now: number;
  readonly at: Instant;
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

  const toInstant = (): Instant => ({ monotonic: clock.monotonic(), wall: clock.wall() });

  /** Reads and opens the keys, and adds what is missing. Of several nodes that add the same, one wins and the others read again. */
  async function read(): Promise<{ readonly records: KeyRecords; readonly opened: OpenedRing }> {
    for (let tries = 0; tries < maxTries; tries++) {
      const records = await store.keys.read();
      const opened = open(records);
      const missing = toMissing(given, { records, opened, settings, random });
      if (missing === null) return { records, opened };
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

  function open(records: KeyRecords): OpenedRing {
    try {
      return openRing(records, given.keks);
    } catch (error) {
      if (loaded !== null && error instanceof UnreadableKeyError) reportUnreadable(error, records.version);
      throw error;
    }
  }

  /** Once for each version: the node keeps the keys that it has. */
  function reportUnreadable({ kid, kekId, message: reason }: UnreadableKeyError, version: number): void {
    if (unreadable?.version !== version) emit({ type: "keys_unreadable", time: clock.now(), kid, kekId, reason });
    unreadable = { version, at: clock.monotonic() };
  }

  async function reload(): Promise<void> {
    const at = toInstant();
    const from = incarnation;
    const { records, opened } = await read();
    const snapshot = toKeySnapshot(given, { records, opened, settings });
    loaded = { snapshot: withSameTokens(snapshot, loaded?.snapshot), now: records.now, at };
    unreadable = null;
    loadedFrom = from;
    confirmedAt = Math.max(confirmedAt, at.monotonic);
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

  return {
    async load() {
      if (loaded === null) await run();
    },
    async ready() {
      if (loaded !== null && (clock.monotonic() - confirmedAt <= longestSilence || isHopeless())) return;
      try {
        await run();
      } catch (error) {
        if (!(error instanceof SettingError)) throw error;
        if (loaded === null) throw new AuthError("unavailable", "the keys can't be read", { cause: error });
      }
    },
    current() {
      const snapshot = loaded?.snapshot ?? first;
      if (snapshot === null) throw new AuthError("unavailable", "the keys are not loaded");
      return snapshot;
    },
    observe(state) {
      incarnation = state.incarnation;
      if (loaded === null) return;
      loadedFrom ??= incarnation;
      if (state.keysVersion === loaded.snapshot.version && incarnation === loadedFrom && !isDue(loaded)) {
        confirmedAt = clock.monotonic();
      } else if (state.keysVersion !== unreadable?.version || !isHopeless()) {
        // If it fails, the node keeps the keys that it has, and the next read of the feed tries again.
        run().catch(() => {});
      }
    },
    isReadable: () => unreadable === null,
  };
}

/** Keeps the key set if it has the same keys: another one empties the cache of verified tokens. */
function withSameTokens(snapshot: KeySnapshot, former: KeySnapshot | undefined): KeySnapshot {
  return former?.names === snapshot.names ? Object.freeze({ ...snapshot, tokens: former.tokens }) : snapshot;
}

function sessionsOfOtherSecret(): SettingError {
  return new SettingError(
    "secret",
    "is missing: the sessions in the database were made with another one. If the signing key was a secret before, set it as " +
      "secret, and no user has to log in again. If it is lost, run: tokenpair sessions revoke --all",
  );
}
