import type { AccessClaims, TokenType } from "../../core/claims.ts";
import { AuthError } from "../../core/errors.ts";
import type { Algorithm } from "../../core/settings/session-settings.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { isHmac } from "../keys/algorithms.ts";
import type { VerifyingKeys } from "../keys/key-set.ts";
import { allows } from "../keys/signing-key.ts";
import { readAuthenticationClaims } from "./authentication-claims.ts";
import {
  checkRegisteredClaims,
  invalid,
  type Payload,
  readCount,
  readString,
  readTime,
  requireClaim,
} from "./claim-checks.ts";
import { verifyCompact } from "./jws.ts";

/** The settings that say what a token must have. */
export type TokenRules = Pick<
  Settings,
  "leeway" | "clockTolerance" | "issuer" | "audience" | "userIdClaim" | "tokenTypeClaim" | "jtiClaim"
>;

/** A token whose signature, registered claims and type are right. */
export interface GenuineToken {
  readonly payload: Payload;
  readonly type: TokenType;
  readonly algorithm: Algorithm;
}

/** What a token is checked against. */
export interface GenuineTokenOptions {
  readonly rules: TokenRules;
  readonly keys: VerifyingKeys;
  /** The header with `typ: "at+jwt"` that the key for access tokens writes. With it, that type is accepted too. */
  readonly accessHeader: string | undefined;
  /** Whole seconds since the epoch. */
  readonly now: number;
  /** The type that the token must have. Default: either. */
  readonly type?: TokenType | undefined;
  /** Accepts an expired token too. Default: false. */
  readonly mayBeExpired?: boolean | undefined;
}

/** The largest global epoch that other services can compare: they get it as 32 bits. */
const maxGlobalEpoch = 0xffff_ffff;

/** The largest epoch of a user in the database. */
const maxUserEpoch = 0x7fff_ffff;

/**
 * Returns a token's payload after checking its signature, registered claims and type.
 *
 * @throws AuthError as `Tokens.verifyAccess` does.
 */
export function verifyToken(token: string, options: GenuineTokenOptions): GenuineToken {
  const { rules, keys, accessHeader, now, type, mayBeExpired } = options;
  const { userIdClaim, tokenTypeClaim, jtiClaim } = rules;
  const { payload, key, typ } = verifyCompact(token, keys, accessHeader);
  // A refresh token's key says who made it. It need not have `iss` and `aud`, and didn't before they were configured.
  const allowances = { mayBeExpired: mayBeExpired === true, mayLackIssuer: payload[tokenTypeClaim] === "refresh" };
  checkRegisteredClaims(payload, now, rules, allowances);
  requireClaim(payload, "exp", "token_without_exp");
  requireClaim(payload, jtiClaim, "token_without_id");
  requireClaim(payload, tokenTypeClaim, "token_without_type");
  const presented = readString(payload, tokenTypeClaim);
  if (!isTokenType(presented) || (type !== undefined && presented !== type)) {
    throw new AuthError("token_wrong_type", `token is not of the type ${type ?? "access or refresh"}`);
  }
  if (!allows(key.use, presented)) throw invalid(`the key doesn't sign ${presented} tokens`);
  if (typ === "at+jwt" && presented !== "access") throw invalid("typ in the header is that of access tokens");
  requireClaim(payload, userIdClaim, "token_without_user");
  return { payload, type: presented, algorithm: key.algorithm };
}

/** Returns the claims that access and refresh tokens have. @throws AuthError `token_invalid` */
export function toAccessClaims({ payload, algorithm }: GenuineToken, rules: TokenRules): AccessClaims {
  const isPublic = !isHmac(algorithm);
  return {
    type: "access",
    userId: readString(payload, rules.userIdClaim),
    sessionId: readString(payload, "sid"),
    userEpoch: readCount(payload, "ue", isPublic ? maxUserEpoch : Number.MAX_SAFE_INTEGER),
    globalEpoch: readGlobalEpoch(payload, isPublic),
    tokenId: readString(payload, rules.jtiClaim),
    issuedAt: isPublic ? readCount(payload, "iat") : (readTime(payload, "iat") ?? 0),
    expiresAt: readCount(payload, "exp"),
    ...readAuthenticationClaims(payload),
    payload,
  };
}

function isTokenType(text: string): text is TokenType {
  return text === "access" || text === "refresh";
}

/** Reads `ge`. Only tokens of version 0.1 have none, and no public key has signed those. */
function readGlobalEpoch(payload: Payload, isPublic: boolean): number | null {
  const epoch = payload["ge"] === undefined ? null : readCount(payload, "ge");
  if ((epoch === null || epoch > maxGlobalEpoch) && isPublic) throw invalid("ge is missing or too large");
  return epoch;
}
