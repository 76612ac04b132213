import { createHash } from "node:crypto";
import { AuthError } from "../../core/errors.ts";
import type { Clock } from "../../core/runtime/clock.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { isSameText } from "../same-text.ts";
import { toLegacySecret } from "../secrets.ts";
import {
  checkRegisteredClaims,
  invalid,
  type Payload,
  readCount,
  readString,
  readTime,
  requireClaim,
} from "../tokens/claim-checks.ts";
import { verifyCompact } from "../tokens/jws.ts";
import type { LegacyKey } from "./legacy-key.ts";

/** The claims of a verified refresh token of simplejwt. Times are whole seconds since the epoch. */
export interface LegacyClaims {
  readonly type: "legacy";
  /** The user's id as a string. */
  readonly userId: string;
  /** The token's id, from the claim `jti`. */
  readonly tokenId: string;
  /** The time at which the token was issued, from the claim `iat`. 0 if the token has no `iat`. */
  readonly issuedAt: number;
  /** The time at which the token expires, from the claim `exp`. */
  readonly expiresAt: number;
  /**
   * The value that simplejwt's `CHECK_REVOKE_TOKEN` adds: a hash of the user's stored hash. `null` if that setting is off.
   */
  readonly passwordMark: string | null;
  /** A secret that is derived from the whole token: 32 bytes. Never log, store or return it. */
  readonly secret: Uint8Array;
}

/** Verifies refresh tokens of simplejwt. No I/O. */
export interface LegacyTokens {
  /** The time until which the tokens are accepted, in whole seconds since the epoch. */
  readonly until: number;
  /**
   * Returns the claims of a live refresh token of simplejwt. Returns `null` if the token wasn't signed with simplejwt's
   * key, or if `until` has passed.
   *
   * @throws AuthError with a code that starts with `token_`, as for a token of tokenpair.
   */
  verify(token: string): LegacyClaims | null;
}

/** The settings that simplejwt also has, under its own names. */
type LegacyTokenSettings = Pick<
  Settings,
  "audience" | "issuer" | "leeway" | "clockTolerance" | "userIdClaim" | "tokenTypeClaim" | "jtiClaim"
>;

/** The options of `createLegacyTokens`. */
export interface LegacyTokensOptions {
  readonly key: LegacyKey;
  readonly until: number;
  readonly clock: Clock;
  readonly settings: LegacyTokenSettings;
}

/** The maximum length of a `jti` that simplejwt stores. */
const maxTokenIdLength = 255;

/** The claims that every refresh token of tokenpair has and that simplejwt doesn't write. */
const ownClaims = ["sid", "gen", "secret"];

/** The claim that `CHECK_REVOKE_TOKEN` adds. */
const passwordClaim = "hash_password";

/**
 * Creates the verifier of simplejwt's refresh tokens. It refuses headers with a `kid`, because simplejwt doesn't write one.
 */
export function createLegacyTokens({ key, until, clock, settings }: LegacyTokensOptions): LegacyTokens {
  const { userIdClaim, tokenTypeClaim, jtiClaim } = settings;
  // No header is known in advance, so each is checked in full.
  const verifying = { ...key, kid: "", use: "refresh", header: "" } as const;
  const keys = {
    access: verifying,
    refresh: verifying,
    find: ({ alg, kid }: { readonly alg?: unknown; readonly kid?: unknown }) =>
      kid === undefined && alg === key.algorithm ? verifying : null,
  };

  /** Returns the payload of a token that was signed with this key and isn't a token of tokenpair. */
  function findPayload(token: string): Payload | null {
    try {
      const { payload } = verifyCompact(token, keys);
      // With one secret for both systems, a token of tokenpair that is over must not pass for one of simplejwt.
      return ownClaims.some((name) => Object.hasOwn(payload, name)) ? null : payload;
    } catch (error) {
      if (error instanceof AuthError) return null;
      throw error;
    }
  }

  function readUserId(payload: Payload): string {
    return typeof payload[userIdClaim] === "number"
      ? String(readCount(payload, userIdClaim))
      : readString(payload, userIdClaim);
  }

  function toClaims(payload: Payload, token: string): LegacyClaims {
    const tokenId = readString(payload, jtiClaim);
    if (tokenId.length > maxTokenIdLength) throw invalid(`${jtiClaim} is too long`);
    return {
      type: "legacy",
      userId: readUserId(payload),
      tokenId,
      issuedAt: readTime(payload, "iat") ?? 0,
      expiresAt: readCount(payload, "exp"),
      passwordMark: payload[passwordClaim] === undefined ? null : readString(payload, passwordClaim),
      secret: toLegacySecret(token),
    };
  }

  return Object.freeze({
    until,
    verify(token: string): LegacyClaims | null {
      const now = clock.now();
      const payload = now < until ? findPayload(token) : null;
      if (payload === null) return null;
      // Its key says who made it, so that the issuer may be configured for the first time now.
      checkRegisteredClaims(payload, now, settings, { mayLackIssuer: true });
      requireClaim(payload, "exp", "token_without_exp");
      requireClaim(payload, jtiClaim, "token_without_id");
      requireClaim(payload, tokenTypeClaim, "token_without_type");
      if (payload[tokenTypeClaim] !== "refresh")
        throw new AuthError("token_wrong_type", "token is not a refresh token");
      requireClaim(payload, userIdClaim, "token_without_user");
      return toClaims(payload, token);
    },
  });
}

/**
 * Returns whether a token was issued for the password whose hash is stored. If the token has a mark and it doesn't match,
 * simplejwt refuses the token.
 *
 * @param passwordHash the hash as Django stores it, or `null` if there is none.
 */
export function isOfPassword({ passwordMark }: LegacyClaims, passwordHash: string | null): boolean {
  if (passwordMark === null) return true;
  if (passwordHash === null) return false;
  return isSameText(createHash("md5").update(passwordHash).digest("hex").toUpperCase(), passwordMark);
}
