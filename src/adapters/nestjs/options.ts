import { Inject } from "@nestjs/common";
import type { AnyAuth, AnyCheck } from "../../index.ts";

/** The parts of an `Auth` that `TokenpairModule` uses. A service with a verifier has only the required ones. */
export type NestAuth = AnyCheck &
  Pick<AnyAuth, "authenticate" | "signal"> &
  Partial<Pick<AnyAuth, "fetch" | "handles" | "ready" | "drain">> & {
    /** Stops what the `Auth` does in the background. */
    close(): void | Promise<void>;
  };

/** What `TokenpairModule` works with. */
export interface NestOptions {
  /** Your `Auth`, or a verifier. The module calls its `ready` at the start, and its `close` at the shutdown. */
  readonly auth: NestAuth;
  /** Called at the shutdown after `auth.close()`, for example to close the store. */
  readonly close?: () => unknown;
}

/** Which routes `AuthGuard` guards. */
export interface NestGuardOptions {
  /**
   * With "global", `AuthGuard` guards every route that isn't `@Public()`. With "route", it guards the routes that have
   * `@UseGuards(AuthGuard)` or `@StepUp()`. Default: "global".
   */
  readonly guard?: "global" | "route";
}

/** How `TokenpairModule.forRootAsync` creates its options: a provider of Nest with a factory. */
export interface NestAsyncOptions extends NestGuardOptions {
  /** Modules whose providers the factory needs. */
  // biome-ignore lint/suspicious/noExplicitAny: Nest's own type of modules is not exported.
  readonly imports?: any[];
  /** The providers that the factory gets as arguments. */
  // biome-ignore lint/suspicious/noExplicitAny: tokens of any providers.
  readonly inject?: any[];
  /** Returns the options. */
  // biome-ignore lint/suspicious/noExplicitAny: the arguments are what `inject` names.
  readonly useFactory: (...args: any[]) => NestOptions | Promise<NestOptions>;
}

/** The provider of the options. */
export const optionsToken: unique symbol = Symbol("tokenpair options");

/** The provider of the `Auth`. */
export const authToken: unique symbol = Symbol("tokenpair auth");

/**
 * Injects the `Auth` into a constructor.
 *
 * @example
 * class Accounts {
 *   constructor(@InjectAuth() private readonly auth: Auth) {}
 * }
 */
export function InjectAuth(): ParameterDecorator {
  return Inject(authToken);
}
