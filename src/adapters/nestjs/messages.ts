import { HttpException } from "@nestjs/common";
import { requireAuthentication } from "../../core/require-authentication.ts";
import { systemClock } from "../../core/runtime/clock.ts";
import { AuthError, type AuthenticationRequirement, type RegisteredAuthentication } from "../../index.ts";
import { SocketRefusal } from "./socket-refusal.ts";

/** Returns why a socket's message is refused, or null: the user must have been authenticated as required when the socket opened. */
export function findMessageRefusal(
  found: RegisteredAuthentication | SocketRefusal,
  requirement: AuthenticationRequirement,
): SocketRefusal | null {
  if (found instanceof SocketRefusal) return found;
  try {
    requireAuthentication(found, requirement, systemClock);
    return null;
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    const { maxAge: max_age, amr } = requirement;
    const detail = "Confirm that it is you, and connect again.";
    return new SocketRefusal(401, { detail, code: error.code, ...(max_age && { max_age }), ...(amr && { amr }) });
  }
}

/**
 * Refuses a message of a gateway.
 *
 * @throws WsException with `detail` and `code`, which Nest sends as the event `exception`.
 */
export async function refuseMessage({ body }: SocketRefusal): Promise<never> {
  // Gateways need this package, so it is there. It isn't a peer, because other applications do without.
  const name: string = "@nestjs/websockets";
  const { WsException } = await import(name);
  throw new WsException({ status: "error", ...body });
}

/**
 * Refuses an operation of GraphQL.
 *
 * @throws HttpException. Apollo's driver knows it by `statusCode`, and adds the body to the error of the result. The error of a
 * subscription, or of Mercurius, gets it from `extensions`.
 */
export function refuseOperation({ status, body }: SocketRefusal): never {
  const originalError = { statusCode: status, message: body["detail"], ...body };
  throw Object.assign(new HttpException(originalError, status), { extensions: { originalError } });
}
