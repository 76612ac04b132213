import type { ApplicationClaims } from "../claims.ts";
import type { ClientInfo } from "../client-info.ts";
import type { AuthError } from "../errors.ts";
import type { SuspiciousLogin } from "../suspicious-login.ts";
import type { AuthUser, User } from "../user.ts";

/** Where users are kept, which of them may have tokens, and what their tokens say. */
export interface UserSettings<U extends AuthUser = User, C extends object = ApplicationClaims> {
  /** Whether `Alice` and `alice` are two users. Choose before you create the first user. Default: false. */
  readonly usernameCaseSensitive: boolean;
  /** Whether every request looks up whether the user is still active: one query each. Default: false. */
  readonly checkUserIsActive: boolean;
  /** Whether every authenticated request loads the user into `Authentication.user`, with one query. Default: false. */
  readonly loadUser: boolean;
  /**
   * Returns whether a user may have tokens. Called at login, at every refresh, and whenever a request looks the user up.
   * Default: returns `user.isActive`.
   */
  readonly userAuthenticationRule: ((user: U) => boolean) | undefined;
  /** Returns more claims for a user's tokens. Called at login and at every refresh. Default: none. */
  readonly claims: ((user: U) => C | Promise<C>) | undefined;
  /**
   * Returns what a page may know about its user, such as a name to show: a JSON object. The answers of login, refresh and `me/` have
   * it as `claims`, so keep it short. It isn't in the tokens. Default: none.
   */
  readonly publicClaims: ((user: U) => object | Promise<object>) | undefined;
  /**
   * Checks a password in your own user table. Returns `null` if the user is unknown or the password wrong. Needs `findUser`
   * too. Default: checks tokenpair's own table.
   */
  readonly verifyCredentials: ((username: string, password: string) => UserAnswer<U>) | undefined;
  /**
   * Finds a user in your own user table; returns `null` if there is none. Called at login, at every refresh, and whenever a
   * request looks the user up. Default: looks in tokenpair's own table.
   */
  readonly findUser: ((id: string) => UserAnswer<U>) | undefined;
}

/** What a function of your application returns about a user: the user, or `null` or `undefined` for none; or a promise. */
export type UserAnswer<U extends AuthUser> = U | null | undefined | Promise<U | null | undefined>;

/** What a login requires after the right password. */
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
   * Called after the right password, before the session is started. If it returns methods, the login is answered with 401
   * `second_factor_required` and a ticket, which the client sends with its proof. Default: no second step.
   */
  readonly afterPassword: ((user: U, client: ClientInfo) => SecondStepAnswer | Promise<SecondStepAnswer>) | undefined;
  /**
   * Verifies the proof of a second step: the fields that the client sends to `{authPath}/login/continue/` besides the ticket. Returns
   * how the user was authenticated, such as `["otp"]`, or `null` if the proof is wrong. Needs `afterPassword` too. Default: that
   * endpoint isn't there, and you call `auth.completeLogin`.
   */
  readonly verifySecondFactor:
    | ((user: U, proof: Readonly<Record<string, unknown>>, client: ClientInfo) => FactorAnswer | Promise<FactorAnswer>)
    | undefined;
  /** How long the ticket of a login that waits for a second step is valid; at most an hour. Default: 5 minutes. */
  readonly ticketLifetime: number;
  /** Called after a successful login, before the response. If it throws, the login is refused with 503. Default: none. */
  readonly onLoginSuccess: ((user: U, client: ClientInfo) => void | Promise<void>) | undefined;
  /** Called after a refused login, before the response. Errors are ignored. Default: none. */
  readonly onLoginFailed: ((error: AuthError, client: ClientInfo) => void | Promise<void>) | undefined;
  /**
   * Called if a login on an unknown device succeeds after failures, or if failures start delays or lock the account. Not
   * awaited; errors are ignored. Default: none.
   */
  readonly onSuspiciousLogin: ((login: SuspiciousLogin<U>) => void | Promise<void>) | undefined;
}

/** Passwords in tokenpair's own user table. */
export interface PasswordSettings {
  /**
   * The shortest new password, from 8 to 64 characters. Use 15 if the password is the only factor (NIST SP 800-63B-4).
   * Default: 8.
   */
  readonly minPasswordLength: number;
  /** Memory for one hash in KiB, at most 262,144 (256 MiB). Default: 19,456 (19 MiB). */
  readonly passwordMemoryCost: number;
  /** The number of passes that one hash makes over its memory. Passes multiplied by memory are at most 1 GiB. Default: 2. */
  readonly passwordTimeCost: number;
  /** How many threads argon2 uses for one hash. Default: 1. */
  readonly passwordParallelism: number;
  /**
   * Secrets that go into password hashes and are not in the database, each as "id:key". The id has at most eight letters,
   * digits, - or _; the key has at least 16 characters without spaces and commas, such as from `openssl rand -hex 32`. New
   * hashes use the first; the others verify older hashes. Default: none.
   */
  readonly passwordPeppers: readonly string[];
  /**
   * How many passwords are hashed at once. Above 3, raise `UV_THREADPOOL_SIZE` too. Default: one less than the number of
   * cores, from 1 to 3.
   */
  readonly passwordHashConcurrency: number | undefined;
  /** How many more hashes may wait. Any further one is refused with 503. Default: 64. */
  readonly passwordQueueLimit: number;
  /** Whether Django's salted MD5 hashes are accepted. The next login replaces them. Default: false. */
  readonly acceptMd5PasswordHashes: boolean;
}
