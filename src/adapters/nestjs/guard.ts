import { type CanActivate, type ExecutionContext, Inject, Injectable } from "@nestjs/common";
import type { AuthUser, CheckResult, RegisteredAuthentication } from "../../index.ts";
import { findRule, type RouteRule, type Source, toSource } from "./context.ts";
import { findMessageRefusal, refuseMessage, refuseOperation } from "./messages.ts";
import { authToken, type NestAuth } from "./options.ts";
import { refuseRequest } from "./refuse-request.ts";
import { SocketRefusal } from "./socket-refusal.ts";
import { AuthSockets } from "./sockets.ts";

/**
 * Guards routes, resolvers and the messages of gateways: refuses requests that are not authenticated, or not as `@StepUp()` says.
 * `@CurrentUser()` then returns who sent the request. `TokenpairModule` makes it global.
 *
 * @example
 * @UseGuards(AuthGuard)
 * class Orders {}
 */
export class AuthGuard implements CanActivate {
  readonly #auth: NestAuth;
  readonly #sockets: AuthSockets;

  /** Nest calls it. */
  constructor(auth: NestAuth, sockets: AuthSockets) {
    this.#auth = auth;
    this.#sockets = sockets;
  }

  /** Nest calls it before each handler. */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const rule = findRule(context);
    const source = toSource(context);
    if (source.socket !== undefined) return this.#acceptMessage(source, rule);
    const request = source.carrier.raw ?? (source.carrier as Request);
    const settle = (result: CheckResult<AuthUser, object>) => {
      if (result.ok) source.carrier.auth = result.authentication as RegisteredAuthentication;
      if (result.ok || isAnonymous(rule, result.response)) return true;
      if (source.type === "http") return refuseRequest(result.response, context.switchToHttp().getResponse());
      return SocketRefusal.of(result.response).then(refuseOperation);
    };
    const result = this.#auth.check(request, { maxAge: rule.maxAge, amr: rule.amr });
    return "ok" in result ? settle(result) : result.then(settle);
  }

  async #acceptMessage({ type, carrier, socket }: Source, rule: RouteRule): Promise<boolean> {
    const refusal = findMessageRefusal(await this.#sockets.find(carrier, socket ?? {}), rule);
    if (refusal === null || isAnonymous(rule, refusal)) return true;
    return type === "ws" ? refuseMessage(refusal) : refuseOperation(refusal);
  }
}

/** Returns whether a refused request counts as not logged in: the route is public, and this node could check the request. */
function isAnonymous({ isPublic }: RouteRule, { status }: { readonly status: number }): boolean {
  return isPublic === true && status < 500;
}

Injectable()(AuthGuard);
Inject(authToken)(AuthGuard, undefined, 0);
Inject(AuthSockets)(AuthGuard, undefined, 1);
