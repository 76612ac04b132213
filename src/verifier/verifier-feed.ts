import type { Clock } from "../core/runtime/clock.ts";
import { createLoop } from "../core/runtime/loop.ts";
import { toRegisteredLease } from "../revocation/readers/stream-time.ts";
import { createSignals, type Signals } from "../revocation/signals.ts";
import { createAcknowledger } from "./acknowledger.ts";
import { createFeedPuller, type FeedPuller } from "./feed-puller.ts";
import type { ParsedFrame } from "./frame-parser.ts";
import { createFrameReader, type FrameEffect } from "./frame-reader.ts";
import { createFreshness } from "./freshness.ts";
import { createIssuerFollower, type IssuerFollower } from "./issuer-follower.ts";
import type { IssuerKeys } from "./issuer-keys.ts";
import type { IssuerRequests } from "./issuer-requests.ts";
import { createKnownRevocations, toAffected } from "./known-revocations.ts";
import type { VerifierEvent } from "./options.ts";
import { createRelayLog, type RelayLog } from "./relay-log.ts";
import { createRevocationChecks, type RevocationChecks } from "./revocation-checks.ts";
import type { Runtime } from "./runtime.ts";
import type { VerifierConfig } from "./verifier-config.ts";

/** The revocations of a verifier, and everything that keeps them up to date. */
export interface VerifierFeed extends Pick<RevocationChecks, "requireNotRevoked" | "acceptedStale"> {
  /** Aborts what is open under a token. */
  readonly signals: Pick<Signals, "signal" | "onStaleness">;
  /** What reads at requests; `null` if the feed is read in the background. */
  readonly puller: FeedPuller | null;
  /** Begins to read in the background. */
  start(): void;
  /** Stops reading, and is never fresh again. */
  stop(): void;
  /** Returns whether every revocation has been read, and that is recent enough. */
  isFresh(): boolean;
  /** Returns the seconds by which the revocations may be behind. */
  staleness(): number;
  /** What readers of a relay get; `null` without the option `relay`. */
  readonly relayLog: RelayLog | null;
  /** The state, as `VerifierStatus` has it. */
  status(): { readonly entries: number; readonly isConnected: boolean; readonly failure: string | null; bytes: number };
}

/** The options of `createVerifierFeed`. */
export interface VerifierFeedOptions {
  readonly config: VerifierConfig;
  readonly mode: "stream" | "poll" | "pull";
  readonly requests: IssuerRequests;
  readonly keys: Pick<IssuerKeys, "observe">;
  readonly runtime: Runtime;
  /** Returns a number from 0 to 1. */
  readonly random: () => number;
  readonly emit: (event: VerifierEvent) => void;
  /** Called when a frame has been applied. */
  readonly onFrameApplied: () => void;
}

/** Milliseconds: between two looks at the clock, and between two sweeps. */
const longestTick = 1_000;
const sweepInterval = 1_000;

/** The longest silence of a request for which another request waits, in milliseconds. */
const longestPull = 2_000;

/** Creates the revocations of a verifier. Reads nothing before `start` or `pull`. */
export function createVerifierFeed(options: VerifierFeedOptions): VerifierFeed {
  const { config, mode, requests, keys, runtime, random, emit, onFrameApplied } = options;
  const { clock, schedule, caution } = runtime;
  const maxStaleness = config.maxStaleness * 1000;
  const known = createKnownRevocations({ now: clock.now, leeway: config.settings.leeway });
  const freshness = createFreshness({ clock, maxStaleness: config.maxStaleness, caution });
  const acknowledger = createAcknowledger({ requests, schedule, timeout: maxStaleness });
  const relayLog =
    config.relay === null ? null : createRelayLog({ clock, schedule, onSettled: acknowledger.acknowledge });
  const reader = createFrameReader({
    requests,
    freshness,
    clock,
    schedule,
    longestSilence: mode === "pull" ? Math.min(maxStaleness, longestPull) : maxStaleness,
    lease: toLease(config),
    apply(frame) {
      const isNews = known.apply(frame.records, frame.header.isFull);
      relayLog?.append(frame);
      return isNews;
    },
    onFrame,
    toCursor: relayLog?.toCursor,
  });
  const checks = createRevocationChecks({
    known,
    freshness,
    isLoaded: reader.isLoaded,
    clock,
    onStale: config.onStale,
    emit,
  });
  const signals = createSignals({
    index: known,
    clock,
    leeway: config.settings.leeway,
    accessTokenLifetime: config.settings.accessTokenLifetime,
    maxStaleness: toSignalStaleness(config),
    staleness: freshness.staleness,
    findSessionEnd: async () => null,
    toGroups: known.toGroups,
    schedule,
  });
  const events = {
    onConnected: () => emit({ type: "connected" }),
    onDisconnected: (reason: string) => emit({ type: "disconnected", reason }),
  };
  const puller =
    mode === "pull"
      ? createFeedPuller({
          reader,
          pullInterval: config.pullInterval * 1000,
          isShared: runtime.hasBackground,
          clock,
          ...events,
        })
      : null;
  const follower: IssuerFollower | null =
    mode === "pull" ? null : createIssuerFollower({ reader, mode, maxStaleness, clock, schedule, random, ...events });
  const connection = follower ?? puller;
  const sweep = createSweep(clock, () => {
    if (!freshness.mayDrop()) return;
    known.sweep();
    relayLog?.log.sweep();
  });
  const ticks = createLoop({ step: tick, schedule });

  function onFrame({ header, records }: ParsedFrame, { isNews, isNewest }: FrameEffect): void {
    // A node that is behind may name keys that have been retired since.
    if (isNewest) keys.observe(header.keyVersion);
    // A server may repeat some records to a reader that comes from another one.
    connection?.received(isNews && !header.isFull);
    if (header.isFull) signals.recheck(null);
    else if (isNews) signals.recheck(toAffected(records));
    if (puller !== null) sweep();
    checks.reportStaleness();
    // The cursor of the next poll acknowledges, too; and a relay's readers come first.
    if (header.isAwaited && mode !== "poll" && relayLog === null) acknowledger.acknowledge(header.cursor);
    onFrameApplied();
  }

  async function tick(): Promise<number> {
    sweep();
    checks.reportStaleness();
    signals.onStaleness(freshness.staleness());
    return Math.min(maxStaleness / 4, longestTick);
  }

  return {
    requireNotRevoked: checks.requireNotRevoked,
    get acceptedStale() {
      return checks.acceptedStale;
    },
    signals,
    puller,
    start() {
      follower?.start();
      ticks.wake();
    },
    stop() {
      freshness.end();
      connection?.stop();
      acknowledger.stop();
      void ticks.stop();
    },
    isFresh: () => reader.isLoaded() && freshness.isFresh(),
    relayLog,
    staleness: freshness.staleness,
    status: () => ({
      entries: known.size,
      isConnected: connection?.isConnected ?? false,
      failure: connection?.failure ?? null,
      bytes: reader.bytes,
    }),
  };
}

/** Returns the staleness beyond which signals abort. If none is too long, only `close` aborts them. */
function toSignalStaleness({ onStale, maxStaleness }: VerifierConfig): number {
  return onStale === "refuse" ? maxStaleness : Number.MAX_VALUE;
}

/** Returns the milliseconds for which this verifier, or a reader of its relay, may accept tokens after a frame. */
function toLease({ maxStaleness, relay }: VerifierConfig): number {
  const own = Math.ceil(maxStaleness * 1000);
  return relay === null ? own : Math.max(own, toRegisteredLease(relay.longestLease * 1000));
}

/** Returns a function that runs `work` at most about once a second. */
function createSweep({ monotonic }: Clock, work: () => void): () => void {
  let sweptAt = monotonic();
  return () => {
    if (monotonic() - sweptAt < sweepInterval) return;
    sweptAt = monotonic();
    work();
  };
}
