import type { AuthError, RegisteredAuthentication } from "../../index.ts";
import type { Carrier } from "./context.ts";
import type { NestAuth } from "./options.ts";
import { closeSocket, type SocketHandshake, toHandshake, whenGone } from "./socket.ts";
import { SocketRefusal } from "./socket-refusal.ts";

/**
 * Authenticates a socket by the request that opened it, and closes it when its session is revoked.
 *
 * @param onRevoked called then, with the refusal of further messages.
 * @returns who opened the socket, or why it is refused.
 */
export async function openSocket(
  auth: NestAuth,
  { client, handshake }: { readonly client: Carrier; readonly handshake: SocketHandshake },
  onRevoked: (refusal: SocketRefusal) => void,
): Promise<RegisteredAuthentication | SocketRefusal> {
  const gone = whenGone(client);
  const result = await auth.check(toHandshake(client, handshake), { method: "GET" });
  if (!result.ok) return SocketRefusal.of(result.response);
  const found = result.authentication as RegisteredAuthentication;
  const signal = auth.signal(found, { until: "session", signal: gone });
  const close = () => {
    const refusal = SocketRefusal.ofReason(signal.reason as AuthError);
    onRevoked(refusal);
    closeSocket(client, refusal.closeCode, "logged out");
    return refusal;
  };
  if (signal.aborted) return close();
  signal.addEventListener("abort", close);
  client.auth = found;
  return found;
}
