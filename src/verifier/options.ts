import type { Clock } from "../core/runtime/clock.ts";
import type { Settings } from "../core/settings/settings.ts";

/** The options of `createVerifier`. */
export interface VerifierOptions {
  /** The issuer: the `iss` of tokens, an https URL (or http on this machine). Required. */
  readonly issuer: string;
  /** The audience that a token must have. Required. */
  readonly audience: string;
  /** Where the issuer is reached from here, if not at `issuer`: its origin and, behind a prefix, its path. Default: `issuer`. */
  readonly url?: string;
  /** The credential of this service with the scope `feed`, from `tokenpair services create`. Required unless `revocations` is false. */
  readonly credential?: string;
  /**
   * How revocations are read. `stream`: as they happen. `poll`: by long polls, for proxies that hold back streams. `pull`: at a
   * request, for runtimes that don't run between requests (workerd). `false`: not at all; a revoked token is accepted until it expires. Default: `stream`.
   */
  readonly revocations?: "stream" | "poll" | "pull" | false;
  /** Seconds by which the revocations may be behind. Default: 10. */
  readonly maxStaleness?: number;
  /** What happens to a request if they are further behind: it is refused with 503, or accepted. Default: `refuse`. */
  readonly onStale?: "refuse" | "accept";
  /** With `pull`: for how many seconds what was read is used. Default: 0.5, or `maxStaleness` if that is less. */
  readonly pullInterval?: number;
  /** Seconds for which a token is accepted after its `exp`: the clocks differ. 0 to 300. Default: 30. */
  readonly leeway?: number;
  /** How many verified tokens are cached; 0 caches none. Default: 10,000. */
  readonly cacheSize?: number;
  /** Settings of the issuer that change where its endpoints are, and how tokens and cookies look. Default: the issuer's defaults. */
  readonly settings?: VerifierSettings;
  /** Lets `feed` serve the revocations onward. Default: it doesn't. */
  readonly relay?: RelayOptions;
  /** Called with what an operator should know. Must not throw. Default: none. */
  readonly onEvent?: (event: VerifierEvent) => void;
  /** Sends the requests to the issuer. Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** The clocks. Default: those of the machine. */
  readonly clock?: Clock;
}

/** Settings of the issuer that a verifier must share, if they aren't the defaults there. */
export type VerifierSettings = Partial<
  Pick<
    Settings,
    | "authPath"
    | "userIdClaim"
    | "tokenTypeClaim"
    | "jtiClaim"
    | "accessTokenProfile"
    | "clockTolerance"
    | "authHeaderTypes"
    | "authHeaderName"
    | "accessCookieName"
    | "csrfCookieName"
    | "csrfHeaderName"
    | "insecureCookies"
    | "trustedOrigins"
  >
>;

/** How the feed is served onward. */
export interface RelayOptions {
  /** The credentials that readers may present. */
  readonly credentials: readonly string[];
  /** The longest `maxStaleness` of a reader, in seconds. Default: the verifier's own. */
  readonly longestLease?: number;
}

/** What a verifier reports. */
export type VerifierEvent =
  | {
      /** The feed can be read: at the start, or again. */
      readonly type: "connected";
    }
  | {
      /** The feed can't be read any more. The verifier tries again. */
      readonly type: "disconnected";
      /** Why. It never holds the credential. */
      readonly reason: string;
    }
  | {
      /** The issuer's keys were read, and are others than before. */
      readonly type: "keys_changed";
      /** Their names (`kid`). */
      readonly keys: readonly string[];
    }
  | {
      /** The issuer's keys couldn't be read. The verifier keeps those that it has, and tries again. */
      readonly type: "keys_failed";
      /** Why. */
      readonly reason: string;
    }
  | {
      /** The revocations are further behind than `maxStaleness`, so `onStale` applies. */
      readonly type: "stale";
      /** Seconds by which they may be behind. */
      readonly staleness: number;
    }
  | {
      /** The revocations are fresh again. */
      readonly type: "fresh";
    }
  | {
      /** Tokens were accepted by stale revocations, because of `onStale: "accept"`. At most once a second. */
      readonly type: "accepted_stale";
      /** Seconds by which the revocations may be behind. */
      readonly staleness: number;
    };
