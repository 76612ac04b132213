import { toAmrText } from "../../core/authentication.ts";
import type { ClientInfo } from "../../core/client-info.ts";
import { AuthError } from "../../core/errors.ts";
import type { FactorAnswer } from "../../core/settings/user-settings.ts";
import type { Ticket } from "../../core/store/tickets.ts";
import type { AuthUser } from "../../core/user.ts";
import { hashLoginTicket } from "../../crypto/login-tickets.ts";
import type { Deps } from "../deps.ts";
import { callHook } from "../hook.ts";
import { type LoggedIn, reportLoginFailure } from "../login.ts";
import { toDeviceToken } from "../sessions/device.ts";
import { startSession } from "../sessions/issue.ts";
import type { SessionOwner } from "../sessions/logout.ts";
import type { TokenLimitOptions } from "../sessions/token-pair.ts";
import { countAttempt } from "../throttling/counted-attempt.ts";
import { findPublicClaims, type PublicClaimsOptions } from "../tokens/public-claims.ts";
import { mayHaveTokens } from "../users/user-source.ts";
import { repeatLogin } from "./repeat.ts";
import { findUsableTicket, maxAttempts } from "./ticket.ts";

/** How to complete a login that waits for a second step. */
export interface CompleteLoginOptions<U extends AuthUser = AuthUser> {
  /**
   * How the second step has authenticated the user, if you have verified it already: RFC 8176 values such as `["otp"]`, or your
   * own. The session also has `pwd`. Pass either this or `verify`.
   */
  readonly amr?: readonly string[];
  /**
   * Verifies the second step, and returns `amr`, or `null` if the proof is wrong. A wrong one counts as a failed login, and as one of
   * the ticket's five attempts.
   */
  readonly verify?: (user: U) => FactorAnswer | Promise<FactorAnswer>;
  /** Who sent the request. Default: nothing is known. */
  readonly client?: ClientInfo;
  /** The `device` that this device got at its last login. Default: the device is unknown. */
  readonly device?: string | undefined;
  /** An earlier session of the same browser. It is revoked in the same transaction, if it is that user's. */
  readonly replaces?: SessionOwner | undefined;
  /**
   * The client's `Idempotency-Key`: made before the first try and repeated with every retry. A retry with the same key gets the
   * same session. Default: none.
   */
  readonly idempotencyKey?: string | undefined;
}

/**
 * Completes a login that waits for a second step: finds the ticket, counts the attempt, verifies the proof, uses the ticket and
 * starts the session. One conditional UPDATE decides which of several requests uses the ticket.
 *
 * @throws AuthError `ticket_invalid` if the ticket was used, has expired, had five attempts, or the user may not log in any more;
 * `second_factor_invalid`; `throttled`, with `retryAfter`; `unavailable`. With any error, no session
 * has been started or revoked.
 * @throws TypeError if the options are wrong.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function completeLogin(
  deps: Deps,
  ticket: string,
  options: CompleteLoginOptions & TokenLimitOptions & PublicClaimsOptions,
): Promise<LoggedIn> {
  const { client = {} } = options;
  const verify = toVerify(options);
  let userId: string | null = null;
  try {
    await deps.keys.ready();
    const hash = hashLoginTicket(ticket);
    if (hash === null) throw new AuthError("ticket_invalid", "not a ticket");
    const repeated = await repeatLogin(deps, hash, options);
    if (repeated !== null) return repeated;
    const found = await findUsableTicket(deps, hash);
    userId = found.userId;
    return await complete(deps, found, { ...options, hash, verify }).catch(async (error: unknown) => {
      // The first request may have been completed meanwhile, and spent the ticket and the code.
      const answer = isSpent(error) ? await repeatLogin(deps, hash, options) : null;
      if (answer === null) throw error;
      return answer;
    });
  } catch (error) {
    await reportLoginFailure(deps, error, { client, ...(userId === null ? {} : { userId }) });
    throw error;
  }
}

/** Returns whether the error may only say that another request was first. */
function isSpent(error: unknown): boolean {
  return error instanceof AuthError && (error.code === "ticket_invalid" || error.code === "second_factor_invalid");
}

type Verify = NonNullable<CompleteLoginOptions["verify"]>;

/** @throws TypeError unless there is either `amr` or `verify`. */
function toVerify({ amr, verify }: CompleteLoginOptions): Verify {
  if (amr !== undefined && verify === undefined) {
    toSessionAmr(amr, "completeLogin");
    return () => amr;
  }
  if (typeof verify === "function" && amr === undefined) return verify;
  throw new TypeError('completeLogin: pass either amr or verify. Example: { amr: ["otp"] }');
}

interface Completion extends CompleteLoginOptions, TokenLimitOptions, PublicClaimsOptions {
  readonly hash: Uint8Array;
  readonly verify: Verify;
}

async function complete(
  deps: Deps,
  { userId, userEpoch, usernameKey, persistent }: Ticket,
  { hash, verify, client = {}, device, replaces, idempotencyKey, tokenLimits, ...options }: Completion,
): Promise<LoggedIn> {
  const { settings, users } = deps;
  const user = (await users.find(userId))?.user;
  if (user === undefined || !mayHaveTokens(settings, user)) {
    throw new AuthError("ticket_invalid", "the user is gone or may not log in");
  }
  const account = { username: user.username, usernameKey, userId: users.isOwn ? userId : null, mayBeUser: true };
  const proof = { hash, verify: () => verify(user) };
  const verified = await countAttempt(deps, account, {
    client,
    device: { token: device },
    verify: async () => {
      const methods = await verifyProof(deps, proof);
      return methods === null ? null : { user, methods };
    },
  });
  if (verified === null) throw new AuthError("second_factor_invalid", "wrong proof of the second step");
  await callHook("onLoginSuccess", async () => settings.onLoginSuccess?.(user, client));
  const deviceToken = toDeviceToken(deps, user, { userEpoch, usernameKey });
  const publicClaims = await findPublicClaims(deps, user, options);
  const issued = await startSession(
    deps,
    { user, epoch: userEpoch },
    {
      remember: persistent,
      client,
      replaces,
      amr: toSessionAmr(verified.methods, "verifySecondFactor"),
      ticket: { hash, idempotencyKey },
      tokenLimits,
    },
  );
  return { ...issued, device: deviceToken, ...publicClaims };
}

/** Counts one of the ticket's attempts and verifies the proof. An attempt that can't be verified is taken back. */
async function verifyProof(
  { store }: Pick<Deps, "store">,
  { hash, verify }: { readonly hash: Uint8Array; readonly verify: () => FactorAnswer | Promise<FactorAnswer> },
): Promise<FactorAnswer> {
  if (!(await store.tickets.countAttempt(hash, maxAttempts))) {
    throw new AuthError("ticket_invalid", "the ticket was used, has expired, or had too many attempts");
  }
  try {
    return await callHook("verifySecondFactor", async () => toProvenAmr(await verify()));
  } catch (error) {
    // The caller must see the earlier error.
    await store.tickets.undoAttempt(hash).catch(() => {});
    throw error;
  }
}

/** @throws TypeError if the answer is neither methods nor `null`: `true` doesn't say how the user was authenticated. */
function toProvenAmr(answer: unknown): FactorAnswer {
  if (answer === null) return null;
  toSessionAmr(answer as readonly string[], "verifySecondFactor");
  return answer as readonly string[];
}

/** Returns the stored form of a session's methods: the password, and those of the second step. @throws TypeError */
function toSessionAmr(methods: readonly string[], caller: string): string {
  toAmrText(methods, caller);
  return toAmrText(["pwd", ...methods], caller);
}

/** The request of a client that continues a login. */
export interface LoginContinuation
  extends Omit<CompleteLoginOptions, "amr" | "verify">,
    TokenLimitOptions,
    PublicClaimsOptions {
  /** The fields that the client has sent besides the ticket. */
  readonly proof: Readonly<Record<string, unknown>>;
}

/**
 * Completes a login with the proof that a client has sent, which the application's `verifySecondFactor` verifies.
 *
 * @throws AuthError as `completeLogin`.
 */
export function continueLogin(deps: Deps, ticket: string, { proof, ...options }: LoginContinuation): Promise<LoggedIn> {
  const { verifySecondFactor } = deps.settings;
  const verify: Verify = async (user) => (await verifySecondFactor?.(user, proof, options.client ?? {})) ?? null;
  return completeLogin(deps, ticket, { ...options, verify });
}
