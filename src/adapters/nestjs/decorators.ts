import { applyDecorators, createParamDecorator, type ExecutionContext, SetMetadata, UseGuards } from "@nestjs/common";
import { checkRequirement } from "../../core/authentication.ts";
import type { AuthenticationRequirement, RegisteredAuthentication } from "../../index.ts";
import { findRule, type RouteRule, ruleKey, toSource } from "./context.ts";
import { AuthGuard } from "./guard.ts";

/**
 * Opens a route, or every route of a class, to requests that are not authenticated. There, `@CurrentUser()` is undefined unless the
 * request is authenticated. An invalid token counts as no login. A POST, PUT, PATCH or DELETE with cookies counts as a login only if
 * it has the CSRF token. If this node can't know whether a token was revoked, the answer is still 503.
 *
 * @example
 * class Health {
 *   @Public() @Get("health") health() {}
 * }
 */
export function Public(): MethodDecorator & ClassDecorator {
  return SetMetadata<string, RouteRule>(ruleKey, { isPublic: true });
}

/**
 * Guards a route, or every route of a class, and also requires a recent authentication or certain methods. Guards the route even if
 * its class is `@Public()`.
 *
 * @throws TypeError if `requirement` is wrong.
 * @example
 * class Accounts {
 *   @StepUp({ maxAge: minutes(10) }) @Delete("account") deleteAccount() {}
 * }
 */
export function StepUp(requirement: AuthenticationRequirement): MethodDecorator & ClassDecorator {
  checkRequirement(requirement, "StepUp");
  return applyDecorators(SetMetadata<string, RouteRule>(ruleKey, { ...requirement }), UseGuards(AuthGuard));
}

/**
 * Gives a parameter who sent the request, or one property of it.
 *
 * @throws Error if the route is neither guarded nor `@Public()`.
 * @example
 * class Orders {
 *   @Get("orders") list(@CurrentUser("userId") userId: string) {}
 * }
 */
export const CurrentUser: (property?: keyof RegisteredAuthentication) => ParameterDecorator = createParamDecorator(
  (property: keyof RegisteredAuthentication | undefined, context: ExecutionContext) => {
    const current = toSource(context).carrier.auth ?? undefined;
    if (current === undefined && findRule(context).isPublic !== true) {
      throw new Error(
        "@CurrentUser() needs a guarded route. Add @UseGuards(AuthGuard), or @Public() if it may be undefined.",
      );
    }
    return property === undefined ? current : current?.[property];
  },
);
