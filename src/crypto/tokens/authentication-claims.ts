import type { AccessClaims } from "../../core/claims.ts";
import type { Payload } from "./claim-checks.ts";

/** When, how and by whom the user of an access token was authenticated. */
export type AuthenticationFacts = Pick<AccessClaims, "authTime" | "amr" | "actor">;

/** The names of the claims that say it. */
export const authenticationClaims: readonly string[] = ["auth_time", "amr", "act"];

/** Returns the claims of a new token. JSON leaves out those that are undefined. */
export function toAuthenticationClaims({
  authTime = null,
  amr = [],
  actor = null,
}: Partial<AuthenticationFacts>): Payload {
  return {
    auth_time: authTime ?? undefined,
    amr: amr.length === 0 ? undefined : amr,
    act: actor === null ? undefined : { sub: actor },
  };
}

/**
 * Reads the claims of a genuine token. With version 0.1, an application could have claims of its own under these names: in
 * another form, they say nothing.
 */
export function readAuthenticationClaims({ auth_time: authTime, amr, act }: Payload): AuthenticationFacts {
  return {
    authTime: Number.isSafeInteger(authTime) && (authTime as number) >= 0 ? (authTime as number) : null,
    amr: Array.isArray(amr) && amr.every((value) => typeof value === "string") ? amr : [],
    actor: readSubject(act),
  };
}

function readSubject(act: unknown): string | null {
  const subject = typeof act === "object" && act !== null && "sub" in act ? act.sub : null;
  return typeof subject === "string" && subject !== "" ? subject : null;
}
