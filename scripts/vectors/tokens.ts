import { acceptedTokens } from "./accepted-tokens.ts";
import { type configuration, goodClaims } from "./forge.ts";
import { refusedClaims } from "./refused-claims.ts";
import { refusedForms } from "./refused-forms.ts";

/** A token, and what a verifier says of it that holds the vectors' keys and no revocation. */
export interface TokenVector {
  readonly name: string;
  /** Settings that differ from `configuration`. */
  readonly configuration?: Partial<typeof configuration>;
  readonly token: string;
  /** The algorithm of an accepted token, if it isn't ES256. */
  readonly alg?: string;
  readonly result: "accept" | "refuse";
  /** The contract's message in the 401. */
  readonly message?: string;
  /** What the verifier reads from an accepted token. */
  readonly claims?: TokenClaims;
}

/** What a verifier needs from an accepted token. */
export interface TokenClaims {
  readonly userId: string;
  readonly sessionId: string;
  readonly tokenId: string;
  readonly userEpoch: number;
  readonly globalEpoch: number;
  readonly expiresAt: number;
}

/** Returns the vectors of single tokens. */
export function toTokenVectors(): TokenVector[] {
  return [
    ...acceptedTokens().map(({ name, token, claims = {}, ...rest }) => ({
      name,
      ...rest,
      token,
      result: "accept" as const,
      claims: readClaims({ ...goodClaims, ...claims }),
    })),
    ...[...refusedForms(), ...refusedClaims()].map(({ message = "Token is invalid", ...vector }) => ({
      ...vector,
      result: "refuse" as const,
      message,
    })),
  ];
}

function readClaims({ user_id, sid, jti, ue, ge, exp }: typeof goodClaims): TokenClaims {
  return { userId: user_id, sessionId: sid, tokenId: jti, userEpoch: ue, globalEpoch: ge, expiresAt: exp };
}
