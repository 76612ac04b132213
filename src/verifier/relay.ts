import { createHash } from "node:crypto";
import { AuthError } from "../core/errors.ts";
import { systemRandom } from "../core/runtime/random.ts";
import type { Settings } from "../core/settings/settings.ts";
import { hashServiceCredential } from "../crypto/service-credential.ts";
import { answerFeedAcknowledgement, answerFeedRequest } from "../http/feed-requests.ts";
import { RequestError } from "../http/request/request-error.ts";
import { readServiceCredential } from "../http/request/service-credential.ts";
import { toErrorResponse } from "../http/response/errors.ts";
import { toJsonResponse, withStandardHeaders } from "../http/response/json.ts";
import { createFeedReaders } from "../revocation/readers/create-readers.ts";
import type { ReaderStats } from "../revocation/readers/readers.ts";
import type { IssuerKeys } from "./issuer-keys.ts";
import type { RelayLog } from "./relay-log.ts";
import type { Runtime } from "./runtime.ts";
import type { VerifierConfig } from "./verifier-config.ts";
import type { VerifierFeed } from "./verifier-feed.ts";

/** Serves the feed onward. */
export interface Relay {
  /** Answers a request for the feed, for an acknowledgement, or for the keys. Never rejects with an AuthError. */
  answer(request: Request): Promise<Response>;
  /** Returns what the readers cost. */
  stats(): ReaderStats;
  /** Ends every stream and poll. */
  stop(): void;
}

/** The parts that a relay serves from. */
export interface RelayParts {
  readonly config: Pick<VerifierConfig, "settings" | "maxStaleness">;
  readonly relay: NonNullable<VerifierConfig["relay"]>;
  readonly relayLog: RelayLog;
  readonly feed: Pick<VerifierFeed, "isFresh" | "staleness">;
  readonly keys: Pick<IssuerKeys, "outdatedFor" | "published">;
  readonly runtime: Runtime;
}

/** How many streams may be open. */
const maxStreams = 10_000;

const keysPath = "/.well-known/jwks.json";

/** Creates a relay without readers. */
export function createRelay({
  config: { settings, maxStaleness },
  relay,
  relayLog,
  feed,
  keys,
  runtime,
}: RelayParts): Relay {
  const { clock, schedule } = runtime;
  const { log, leases } = relayLog;
  const longestLease = Math.ceil(relay.longestLease * 1000);
  const isCredential = createCredentialCheck(relay.credentials);

  /** If the keys are out of date, so is everything: readers get the version of those that they get here. */
  const toAge = () => Math.max(feed.staleness() * 1000, keys.outdatedFor());

  const readers = createFeedReaders({
    source: {
      log,
      // The log has everything from the first frame on, and before that nothing is fresh.
      prepare: async () => {},
      age: toAge,
      isFresh: () => keys.published !== null && feed.isFresh() && toAge() <= maxStaleness * 1000,
      keyVersion: () => keys.published?.version ?? 0,
      // The issuer waits for this relay as long as for a reader with the longest lease.
      requireLease: async () => {},
    },
    leases,
    clock,
    random: systemRandom,
    maxStreams,
    schedule,
  });

  async function answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname.endsWith(keysPath)) return answerKeys(keys.published?.body);
    const presented = readServiceCredential(request.headers);
    if (presented === null || !isCredential(presented.credential)) {
      throw new AuthError("invalid_client", "the credential is not one of the relay's");
    }
    if (request.method === "POST") return answerFeedAcknowledgement({ readers }, request);
    if (request.method === "GET") return answerFeedRequest({ readers, clock, longestLease }, request);
    return toJsonResponse(405, { detail: `Method "${request.method}" not allowed.` }, { Allow: "GET, POST" });
  }

  return {
    async answer(request) {
      try {
        return withStandardHeaders(await answer(request));
      } catch (error) {
        return withStandardHeaders(toRefusal(error, settings));
      }
    },
    stats: readers.stats,
    stop: readers.stop,
  };
}

function answerKeys(body: Uint8Array | undefined): Response {
  if (body === undefined) throw new AuthError("unavailable", "the keys are not known");
  return new Response(body as Uint8Array<ArrayBuffer>, { headers: { "Content-Type": "application/jwk-set+json" } });
}

function toRefusal(error: unknown, settings: Pick<Settings, "authHeaderTypes">): Response {
  if (error instanceof RequestError) return toJsonResponse(error.status, error.body);
  if (error instanceof AuthError) return toErrorResponse(error, "token", settings);
  throw error;
}

/** Compares hashes, so that the time says nothing about a credential. */
function createCredentialCheck(credentials: readonly string[]): (text: string) => boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  const known = new Set(credentials.map(hash));
  return (text) => hashServiceCredential(text) !== null && known.has(hash(text));
}
