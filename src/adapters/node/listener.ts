import type { IncomingMessage, ServerResponse } from "node:http";

/** Creates a request listener, like hono's `getRequestListener`. */
type CreateListener = (options: {
  readonly hostname?: string;
}) => (req: IncomingMessage, res: ServerResponse) => unknown;

/**
 * The host that is assumed for a request without a host. No real host can have this name (RFC 6761 §6.4), so no page has
 * its origin.
 */
const unnamedHost = "host.invalid";

/**
 * Creates a listener that also accepts requests without a `Host` header from HTTP/1.0 clients, such as the health checks of
 * some load balancers. HTTP/1.1 requires this header (RFC 9112 §3.2).
 */
export function createVersionedListener(
  create: CreateListener,
): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const [listener, oldListener] = [create({}), create({ hostname: unnamedHost })];
  return async (req, res) => {
    await (req.httpVersion === "1.0" ? oldListener : listener)(req, res);
  };
}
