import type { ApplicationClaims } from "../claims.ts";
import type { ClientInfo } from "../client-info.ts";
import type { AuthError } from "../errors.ts";
import type { SuspiciousLogin } from "../suspicious-login.ts";
import type { AuthUser, User } from "../user.ts";

/** Where users are stored, which of them may have tokens, and which claims their tokens have. */
export interface UserSettings<U extends AuthUser = User, C extends object = ApplicationClaims> {
  /** Whether `Alice` and `alice` are two users. Choose before you create the first user. Default: false. */
  readonly usernameCaseSensitive: boolean;
  /**
   * Whether every authenticated request checks in the user table that the user is still active. This costs one query per
   * request. Default: false.
   */
  readonly checkUserIsActive: boolean;
  /**
   * Whether every authenticated request loads the user into `Authentication.user`. This costs one query per request.
   * Default: false.
   */
  readonly loadUser: boolean;
  /**
   * Returns whether a user may have tokens. Called at every login and refresh, and whenever a request loads the user.
   * Default: returns `user.isActive`.
   */
  readonly userAuthenticationRule: ((user: U) => boolean) | undefined;
  /** Returns additional claims for a user's tokens. Called at every login and refresh. Default: none. */
  readonly claims: ((user: U) => C | Promise<C>) | undefined;
  /**
   * Returns what a page may know about its user, such as a name to show: a JSON object. The answers of login, refresh and `me/` have
   * it as `claims`, so keep it short. It isn't in the tokens. Default: none.
   */
  readonly publicClaims: ((user: U) => object | Promise<object>) | undefined;
  /**
   * Checks a password in your own user table. Returns `null` if the user is unknown or the password is wrong. Needs
   * `findUser` too. Default: checks tokenpair's own table.
   */
  readonly verifyCredentials: ((username: string, password: string) => UserAnswer<U>) | undefined;
  /**
   * Finds a user in your own user table. Returns `null` if there is no such user. Called at every login and refresh, and
   * whenever a request loads the user. Default: searches tokenpair's own table.
   */
  readonly findUser: ((id: string) => UserAnswer<U>) | undefined;
}

/**
 * What a function of your application returns about a user: the user, or `null` or `undefined` if there is no such user. A
 * promise of either is also allowed.
 */
export type UserAnswer<U extends AuthUser> = U | null | undefined | Promise<U | null | undefined>;

/** What a login requires in addition to the password. */
export interface SecondStep {
  /** How the user can do it, for the client, such as `["otp", "passkey"]`: at most 10 texts of at most 40 characters. */
  readonly methods: readonly string[];
}

/** What a function of your application returns about a second step: `null` or nothing if there is none. */
export type SecondStepAnswer = SecondStep | null | undefined;

/** What a function of your application returns about a proof: how the user was authenticated, or `null` if the proof is wrong. */
export type FactorAnswer = readonly string[] | null;

/** Functions of your application that are called at a login. */
export interface LoginHookSettings<U extends AuthUser = User> {
  /**
   * Called when the password was right, before the session starts. If it returns methods, the server answers 401
   * `second_factor_required` with a ticket. The client then sends the ticket with its proof. Default: no second step.
   */
  readonly afterPassword: ((user: U, client: ClientInfo) => SecondStepAnswer | Promise<SecondStepAnswer>) | undefined;
  /**
   * Verifies the proof of a second step: the fields that the client sends to `{authPath}/login/continue/` or
   * `{tokenPath}/continue/` besides the ticket. Returns how the user was authenticated, such as `["otp"]`, or `null` if the
   * proof is wrong. Needs `afterPassword` too. Default: none. The endpoints then answer 404, and your own route calls
   * `auth.completeLogin`.
   */
  readonly verifySecondFactor:
    | ((user: U, proof: Readonly<Record<string, unknown>>, client: ClientInfo) => FactorAnswer | Promise<FactorAnswer>)
    | undefined;
  /**
   * How long the ticket of a login that waits for a second step is valid, in seconds. At most 3,600 (1 hour). Default:
   * 300 (5 minutes).
   */
  readonly ticketLifetime: number;
  /** Called after a successful login, before the response. If it throws, the login is refused with 503. Default: none. */
  readonly onLoginSuccess: ((user: U, client: ClientInfo) => void | Promise<void>) | undefined;
  /** Called after a refused login, before the response. Errors are ignored. Default: none. */
  readonly onLoginFailed: ((error: AuthError, client: ClientInfo) => void | Promise<void>) | undefined;
  /**
   * Called if a login on an unknown device succeeds after failed ones. Also called if failed logins start delays or lock
   * the account. Not awaited; errors are ignored. Default: none.
   */
  readonly onSuspiciousLogin: ((login: SuspiciousLogin<U>) => void | Promise<void>) | undefined;
}

/** Settings for passwords in tokenpair's own user table. */
export interface PasswordSettings {
  /**
   * The minimum length of a new password: from 8 to 64 characters. Use 15 if the password is the only factor (NIST SP
   * 800-63B-4). Default: 8.
   */
  readonly minPasswordLength: number;
  /** The memory for one hash, in KiB, at most 262,144 (256 MiB). Default: 19,456 (19 MiB). */
  readonly passwordMemoryCost: number;
  /**
   * The number of passes that one hash makes over its memory. Passes multiplied by memory must be at most 1 GiB. Default:
   * 2.
   */
  readonly passwordTimeCost: number;
  /** How many threads argon2 uses for one hash. Default: 1. */
  readonly passwordParallelism: number;
  /**
   * Secrets that are part of the input of password hashes and are not in the database. Each has the form "id:key". The id
   * has at most eight letters, digits, - or _. The key has at least 16 characters, without spaces and commas, for example
   * from `openssl rand -hex 32`. New hashes use the first pepper. The others verify older hashes. Default: none.
   */
  readonly passwordPeppers: readonly string[];
  /**
   * How many passwords are hashed at the same time. Above 3, raise `UV_THREADPOOL_SIZE` too. Default: one less than the
   * number of cores, from 1 to 3.
   */
  readonly passwordHashConcurrency: number | undefined;
  /**
   * How many further hashes may wait in a queue. Beyond that, a request that needs a hash is refused with 503. Default: 64.
   */
  readonly passwordQueueLimit: number;
  /**
   * Whether Django's salted MD5 hashes are accepted. The user's next login replaces such a hash, but not before
   * `legacyRefreshUntil`. Default: false.
   */
  readonly acceptMd5PasswordHashes: boolean;
}
