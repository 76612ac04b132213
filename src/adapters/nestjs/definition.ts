import type { DynamicModule, Provider, Type } from "@nestjs/common";
import { APP_GUARD } from "@nestjs/core";
import { AuthGuard } from "./guard.ts";
import { authToken, type NestGuardOptions, type NestOptions, optionsToken } from "./options.ts";
import { AuthSockets } from "./sockets.ts";

/** Returns the definition of the module, global so that every controller can use the guard. */
export function toDefinition(
  module: Type,
  options: Provider,
  guard: NestGuardOptions["guard"] = "global",
): DynamicModule {
  const auth: Provider = { provide: authToken, inject: [optionsToken], useFactory: (given: NestOptions) => given.auth };
  const guards: Provider[] = guard === "global" ? [{ provide: APP_GUARD, useExisting: AuthGuard }] : [];
  return {
    module,
    global: true,
    providers: [options, auth, AuthSockets, AuthGuard, ...guards],
    exports: [authToken, AuthSockets, AuthGuard],
  };
}
