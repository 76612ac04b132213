import { systemRandom } from "../core/runtime/random.ts";
import type { Schedule } from "../core/runtime/schedule.ts";
import { SettingError } from "../core/settings/setting-error.ts";
import { createSignals, type Signals } from "../revocation/signals.ts";
import { createIssuerKeys, type IssuerKeys } from "./issuer-keys.ts";
import { createIssuerRequests } from "./issuer-requests.ts";
import type { VerifierEvent, VerifierOptions } from "./options.ts";
import { createReadSignal } from "./read-signal.ts";
import { createReading, type Reading } from "./reading.ts";
import { createRelay, type Relay } from "./relay.ts";
import { findRuntime, type Runtime } from "./runtime.ts";
import { createTokenChecks, type TokenChecks } from "./token-checks.ts";
import type { VerifierConfig } from "./verifier-config.ts";
import { createVerifierFeed, type VerifierFeed } from "./verifier-feed.ts";

/** The parts that make up a verifier. */
export interface VerifierParts {
  readonly keys: IssuerKeys;
  /** `null` with `revocations: false`. */
  readonly feed: VerifierFeed | null;
  /** `null` without the option `relay`. */
  readonly relay: Relay | null;
  readonly signals: Pick<Signals, "signal" | "onStaleness">;
  readonly reading: Reading;
  readonly tokens: TokenChecks;
  readonly runtime: Runtime;
}

/** The timers and the randomness that a test may replace. */
export interface VerifierInternals {
  /** Default: the machine's timers. */
  readonly schedule?: Schedule;
  /** Returns a number from 0 to 1. Default: `Math.random`. */
  readonly random?: () => number;
}

/**
 * Creates the parts of a verifier. Reads nothing.
 *
 * @throws SettingError if the runtime can't do what the options need.
 */
export function createVerifierParts(
  config: VerifierConfig,
  options: VerifierOptions,
  internals: VerifierInternals,
): VerifierParts {
  const { settings, revocations: mode } = config;
  const runtime = toRuntime(config, options, internals);
  const { clock, schedule } = runtime;
  const emit = toEmitter(options.onEvent);
  const readSignal = createReadSignal(schedule);
  const requests = createIssuerRequests({
    url: config.url,
    authPath: settings.authPath,
    credential: config.credential,
    reader: toReaderId(),
    // Called as a function of no object, which some runtimes require.
    fetch: options.fetch ?? ((...request) => fetch(...request)),
  });
  const keys = createIssuerKeys({
    requests,
    clock,
    schedule,
    maxStaleness: config.onStale === "refuse" ? config.maxStaleness * 1000 : null,
    isFeedFresh: mode === false ? null : () => tokens.isFeedFresh(),
    onChange: (kids) => emit({ type: "keys_changed", keys: kids }),
    onFailure: (reason) => emit({ type: "keys_failed", reason }),
    onRead: readSignal.notify,
  });
  const feed =
    mode === false
      ? null
      : createVerifierFeed({
          config,
          mode,
          requests,
          keys,
          runtime,
          random: internals.random ?? Math.random,
          emit,
          onFrameApplied: readSignal.notify,
        });
  const relayLog = feed?.relayLog ?? null;
  const relay =
    config.relay === null || feed === null || relayLog === null
      ? null
      : createRelay({ config, relay: config.relay, relayLog, feed, keys, runtime });
  const signals = feed?.signals ?? createExpirySignals(config, runtime);
  const reading = createReading({ keys, feed, readSignal, runtime });
  const tokens = createTokenChecks({ keys, feed, clock, settings });
  return { keys, feed, relay, signals, reading, tokens, runtime };
}

function toRuntime(
  { revocations }: VerifierConfig,
  { clock }: VerifierOptions,
  { schedule }: VerifierInternals,
): Runtime {
  const found = findRuntime();
  if (!found.hasBackground && revocations !== "pull" && revocations !== false) {
    throw new SettingError("revocations", 'must be "pull" in workerd, which does nothing between requests.');
  }
  return { ...found, ...(clock === undefined ? {} : { clock }), ...(schedule === undefined ? {} : { schedule }) };
}

/** Returns a function that returns this verifier's name for itself, made when it is first needed: workerd makes none before a request. */
function toReaderId(): () => string {
  let id: string | undefined;
  return () => {
    id ??= Buffer.from(systemRandom(16)).toString("hex");
    return id;
  };
}

function toEmitter(onEvent: VerifierOptions["onEvent"]): (event: VerifierEvent) => void {
  return (event) => {
    try {
      onEvent?.(event);
    } catch {
      // An error of the listener must not stop the reading.
    }
  };
}

/** Returns signals that follow the token's `exp` alone. */
function createExpirySignals({ settings }: VerifierConfig, { clock, schedule }: Runtime) {
  return createSignals({
    index: { isRevoked: () => false },
    clock,
    leeway: settings.leeway,
    accessTokenLifetime: settings.accessTokenLifetime,
    // Only `close` makes it longer than that.
    maxStaleness: Number.MAX_VALUE,
    staleness: () => 0,
    findSessionEnd: async () => null,
    schedule,
  });
}
