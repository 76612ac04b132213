import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { FeedBatch, FeedCursor, FeedPlace, Revocation } from "../../core/revocation.ts";
import { toRevocationEnd } from "../../core/revocation-horizon.ts";
import type { Clock } from "../../core/runtime/clock.ts";
import type { FeedStore } from "../../core/store/feed.ts";
import { type FeedRecord, toFingerprint } from "./frame.ts";
import { createRecordLog, type LogPlace, type NewRecord, type RecordLog, recordRetention } from "./record-log.ts";

/** Learns what a feed reads and what this process commits. */
export interface FeedFollower {
  /** The index has what this process has just committed. */
  committed(revocations: readonly Revocation[]): void;
  /** The index has a batch. Called before the read counts. */
  read(batch: FeedBatch): void;
  /** The feed will read everything again: the database or the wall clock is another one now. */
  restarted(): void;
  /** Expired entries may be dropped. */
  swept(): void;
}

/**
 * The log for readers of a process that reads the store. It is empty, and costs nothing, until the first reader has come: then it reads
 * the feed from the beginning once more, while it takes what the feed reads and what this process commits.
 */
export interface FeedLog extends FeedFollower {
  readonly log: RecordLog;
  /**
   * Fulfils when the log is complete.
   *
   * @throws what the store throws.
   */
  prepare(): Promise<void>;
}

/** The options of `createFeedLog`. */
export interface FeedLogOptions {
  readonly store: Pick<FeedStore, "read">;
  readonly clock: Clock;
  /** Returns the highest global epoch that is known. Its entry may have been deleted. */
  readonly globalEpoch: () => number;
}

/** How many entries are hashed before other work has its turn: about a millisecond. */
const entriesAtOnce = 500;

/** The longest life of an access token, in seconds. */
const longestLife = 86_400;

/** Creates the log of a process without readers. */
export function createFeedLog({ store, clock, globalEpoch }: FeedLogOptions): FeedLog {
  const log = createRecordLog({ clock });
  let isOpen = false;
  let isComplete = false;
  let loading: Promise<void> | null = null;
  /** How often the feed has begun again. */
  let restarts = 0;

  function append(revocations: readonly Revocation[], positions: readonly bigint[] | null): void {
    log.append(toNewRecords(revocations, positions, clock.now()));
  }

  async function load(): Promise<void> {
    // New commits are appended from now on. Earlier ones are in a read that begins after this.
    isOpen = true;
    const restartsBefore = restarts;
    const since = clock.now() - recordRetention;
    let after: FeedCursor | null = null;
    for (;;) {
      const options = { nodeId: null, beat: false, timeout: null };
      const batch: FeedBatch = await store.read({ ...options, after, since });
      if (batch.isCursorLost === true) after = null;
      else {
        await appendInPieces(batch);
        after = batch.cursor;
        if (!batch.more) {
          if (restarts !== restartsBefore) return load();
          complete(batch.place);
          return;
        }
      }
    }
  }

  async function appendInPieces({ revocations, positions }: FeedBatch): Promise<void> {
    for (let from = 0; from < revocations.length; from += entriesAtOnce) {
      const to = from + entriesAtOnce;
      append(revocations.slice(from, to), positions.slice(from, to));
      await setImmediate();
    }
  }

  function complete(place: FeedPlace): void {
    const epoch = globalEpoch();
    if (epoch > 0) append([{ kind: "all", epoch, at: 0 }], null);
    log.setPlace(toLogPlace(place));
    isComplete = true;
  }

  function run(): Promise<void> {
    loading ??= load().finally(() => {
      loading = null;
    });
    return loading;
  }

  return {
    log,
    prepare: async () => {
      if (!isComplete) await run();
    },

    committed(revocations) {
      if (isOpen) append(revocations, null);
    },
    read(batch) {
      if (!isOpen) return;
      append(batch.revocations, batch.positions);
      if (batch.more) return;
      if (isComplete) log.setPlace(toLogPlace(batch.place));
      // If it fails, the next read tries again.
      else run().catch(() => {});
    },
    restarted() {
      restarts += 1;
      isComplete = false;
    },
    swept() {
      if (isOpen) log.sweep();
    },
  };
}

/** Returns the records of revocations. Those of one revocation are neighbours, the exception first. */
function toNewRecords(
  revocations: readonly Revocation[],
  positions: readonly bigint[] | null,
  now: number,
): NewRecord[] {
  return revocations.flatMap((revocation, index) => {
    const position = positions?.[index] ?? null;
    const isAwaited = revocation.confirm === true;
    return toRecords(revocation, now).map((record) => ({ ...record, position, isAwaited }));
  });
}

/** Returns what readers must know of a revocation. Version 0.1 has revoked everything without an epoch, which readers can't judge. */
function toRecords(revocation: Revocation, now: number): readonly FeedRecord[] {
  const until = toRevocationEnd(revocation);
  switch (revocation.kind) {
    case "session":
      return [{ fingerprint: toFingerprint("s", revocation.sessionId), until, value: 1 }];
    case "token":
      return [{ fingerprint: toFingerprint("t", revocation.tokenId), until, value: 1 }];
    case "user": {
      const { userId, epoch: value, except } = revocation;
      const user = { fingerprint: toFingerprint("u", userId), until, value };
      return except === undefined ? [user] : [{ fingerprint: toFingerprint("x", except), until, value }, user];
    }
    case "all": {
      if (revocation.epoch === undefined) return [];
      // The epoch of the installation's row has no time: a token with a lower one may be new.
      const end = revocation.at === 0 ? now + longestLife : until;
      return [{ fingerprint: toFingerprint("a", ""), until: end, value: revocation.epoch }];
    }
  }
}

function toLogPlace({ history, horizon }: FeedPlace): LogPlace {
  return { history: createHash("sha256").update(history).digest().readBigUInt64BE(), horizon };
}
