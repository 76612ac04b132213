import type { ClientInfo } from "../../core/client-info.ts";
import { AuthError } from "../../core/errors.ts";
import { toShown } from "../../core/settings/faults.ts";
import type { AuthUser } from "../../core/user.ts";
import { createLoginTicket } from "../../crypto/login-tickets.ts";
import type { Deps } from "../deps.ts";
import { callHook } from "../hook.ts";
import type { FoundUser } from "../users/user-source.ts";

/** The maximum number of methods, and of the characters of each. They are stored with the ticket. */
const maxOfferedMethods = 10;
const maxOfferedLength = 40;

/**
 * Asks the application how the user can do a second step.
 *
 * @returns the methods; `null` if the password is enough.
 * @throws AuthError `unavailable` if the hook fails or returns something else.
 */
export async function findSecondStep(
  { settings }: Pick<Deps, "settings">,
  user: AuthUser,
  client: ClientInfo,
): Promise<readonly string[] | null> {
  const { afterPassword } = settings;
  if (afterPassword === undefined) return null;
  return callHook("afterPassword", async () => toOfferedMethods(await afterPassword(user, client)));
}

/** @throws TypeError if the value is neither methods nor nothing: a second step must not be skipped by mistake. */
function toOfferedMethods(answer: unknown): readonly string[] | null {
  if (answer === undefined || answer === null) return null;
  const { methods } = Object(answer) as { readonly methods?: unknown };
  const isList =
    Array.isArray(methods) && methods.length > 0 && methods.length <= maxOfferedMethods && methods.every(isMethod);
  if (isList) return methods as string[];
  throw new TypeError(
    `afterPassword must return methods, 1 to ${maxOfferedMethods} texts of at most ${maxOfferedLength} characters, or null, ` +
      `got ${toShown(answer)}. Example: { methods: ["otp"] }`,
  );
}

function isMethod(method: unknown): boolean {
  return (
    typeof method === "string" &&
    method !== "" &&
    method.length <= maxOfferedLength &&
    !/[\p{Cc}\p{Surrogate}]/u.test(method)
  );
}

/** A login that waits for its second step. */
export interface WaitingLogin {
  readonly found: FoundUser;
  /** The name under which failed logins are counted. */
  readonly usernameKey: string;
  readonly methods: readonly string[];
  readonly persistent: boolean;
  readonly client: ClientInfo;
}

/**
 * Stores a ticket for a login, and emits that the login waits.
 *
 * @returns the error for the client, with the ticket.
 * @throws StoreUnavailableError
 */
export async function createTicket(
  deps: Deps,
  { found: { user, epoch }, client, ...login }: WaitingLogin,
): Promise<AuthError> {
  const { ticket, hash } = createLoginTicket(deps.random);
  const { ticketLifetime: lifetime } = deps.settings;
  await deps.store.tickets.create({ hash, userId: user.id, userEpoch: epoch, lifetime, ...login });
  deps.emit({ type: "login_pending", time: deps.clock.now(), userId: user.id, client });
  return new AuthError("second_factor_required", "the login needs a second step", {
    secondFactor: { ticket, methods: login.methods, expiresIn: lifetime },
  });
}
