import { createHash } from "node:crypto";
import { AuthError } from "../../core/errors.ts";
import type { Clock } from "../../core/runtime/clock.ts";
import type { Settings } from "../../core/settings/settings.ts";
import {
  checkRegisteredClaims,
  invalid,
  type Payload,
  readCount,
  readString,
  readTime,
  requireClaim,
} from "../claim-checks.ts";
import { verifyCompact } from "../jws.ts";
import { isSameText } from "../same-text.ts";
import { toLegacySecret } from "../secrets.ts";
import type { LegacyKey } from "./legacy-key.ts";

/** The claims of a verified refresh token of simplejwt. Times are whole seconds since the epoch. */
export interface LegacyClaims {
  readonly type: "legacy";
  /** The user's id as text. */
  readonly userId: string;
  /** `jti`. */
  readonly tokenId: string;
  /** `iat`; 0 if the token has none. */
  readonly issuedAt: number;
  /** `exp`. */
  readonly expiresAt: number;
  /** What simplejwt's `CHECK_REVOKE_TOKEN` adds: a hash of the user's stored hash. `null` if it is off. */
  readonly passwordMark: string | null;
  /** 32 bytes that only the whole token yields. Never log, store or return them. */
  readonly secret: Uint8Array;
}

/** Verifies refresh tokens of simplejwt. No I/O. */
export interface LegacyTokens {
  /** Until when they are accepted: whole seconds since the epoch. */
  readonly until: number;
  /**
   * Returns the claims of a live refresh token of simplejwt; `null` if simplejwt's key hasn't signed the token, or `until` is
   * over.
   *
   * @throws AuthError a `token_` code, as for a token of tokenpair.
   */
  verify(token: string): LegacyClaims | null;
}

/** The settings that simplejwt has too, under its own names. */
type LegacyTokenSettings = Pick<
  Settings,
  "audience" | "issuer" | "leeway" | "clockTolerance" | "userIdClaim" | "tokenTypeClaim" | "jtiClaim"
>;

/** What `createLegacyTokens` needs. */
export interface LegacyTokensOptions {
  readonly key: LegacyKey;
  readonly until: number;
  readonly clock: Clock;
  readonly settings: LegacyTokenSettings;
}

/** The longest `jti` that simplejwt stores. */
const maxTokenIdLength = 255;

/** Claims that simplejwt doesn't write, but every refresh token of tokenpair has. */
const ownClaims = ["sid", "gen", "secret"];

/** The claim of `CHECK_REVOKE_TOKEN`. */
const passwordClaim = "hash_password";

/** Creates the verifier of simplejwt's refresh tokens. Headers with a `kid` are refused: simplejwt writes none. */
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

  /** Returns the payload of a token that the key has signed, and that isn't one of tokenpair. */
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
 * Returns whether a token was issued for the password whose hash is stored: simplejwt refuses it otherwise, if it wrote a mark.
 *
 * @param passwordHash the hash as Django stores it; `null` if there is none.
 */
export function isOfPassword({ passwordMark }: LegacyClaims, passwordHash: string | null): boolean {
  if (passwordMark === null) return true;
  if (passwordHash === null) return false;
  return isSameText(createHash("md5").update(passwordHash).digest("hex").toUpperCase(), passwordMark);
}
