import { hashOf, jtiOf, saltOf, secrets } from "./rotation-derivations.ts";
import { baseSession, type Expected, type SessionRow, settings } from "./rotation-rows.ts";

const { now, accessTokenLifetime, refreshTokenLifetime, globalEpoch } = settings;

function responseOf(gen: number, { iat, exp, accessExp }: Readonly<Record<"iat" | "exp" | "accessExp", number>>) {
  const secret = secrets[gen] ?? Buffer.alloc(0);
  return {
    status: 200,
    refresh: { ue: 3, gen, secret: secret.toString("base64url"), jti: jtiOf(secret), iat, exp },
    access: { ue: 3, ge: globalEpoch, iat: now, exp: accessExp },
  } as const;
}

/** Step 2. */
export const rotations = {
  /** The token of `generation` is rotated. */
  rotated(
    { generation = 2, key }: { readonly generation?: number; readonly key?: string } = {},
    { absoluteExpiresAt }: SessionRow = baseSession(),
  ): Expected {
    const exp = Math.min(now + refreshTokenLifetime, absoluteExpiresAt);
    const accessExp = Math.min(now + accessTokenLifetime, absoluteExpiresAt);
    return {
      step: "2",
      outcome: "rotated",
      response: responseOf(generation + 1, { iat: now, exp, accessExp }),
      changes: {
        generation: generation + 1,
        currentHash: hashOf(secrets[generation + 1] ?? ""),
        previousHash: hashOf(secrets[generation] ?? ""),
        salt: saltOf(generation + 1).toString("hex"),
        idempotencyHash: key === undefined ? null : hashOf(key),
        rotatedAt: now,
        idleExpiresAt: exp,
        accessUntil: accessExp,
      },
    };
  },
};

/** Step 3b. */
export const replays = {
  /** The token of generation 1 gets generation 2 again. `isNoted`: the row notes that access tokens end later. */
  replayed(
    { rotatedAt, idleExpiresAt }: SessionRow,
    { accessUntil, isNoted = false }: { readonly accessUntil: number; readonly isNoted?: boolean },
  ): Expected {
    const iat = rotatedAt ?? 0;
    return {
      step: "3b",
      outcome: "replayed",
      response: responseOf(2, { iat, exp: idleExpiresAt, accessExp: accessUntil }),
      changes: isNoted ? { accessUntil } : {},
    };
  },
};

const response = (detail: string, { code = "token_not_valid", sessionEnded = true } = {}) =>
  ({ status: 401, detail, code, sessionEnded }) as const;

/** Steps 3a, 3c and 3e. */
export const refusals = {
  refused: (detail: string, options?: { readonly code?: string; readonly sessionEnded?: boolean }): Expected => ({
    step: "3a",
    outcome: "refused",
    response: response(detail, options),
    changes: {},
  }),
  reuse: {
    step: "3c",
    outcome: "reuse_detected",
    response: response("Token is blacklisted"),
    changes: { revokedAt: now, revokeReason: "reuse" },
  } satisfies Expected,
  lost: {
    step: "3e",
    outcome: "state_lost",
    response: response("Token is blacklisted", { sessionEnded: false }),
    changes: {},
  } satisfies Expected,
};
