import type { IncomingMessage, ServerResponse } from "node:http";

/** Creates what hono's `getRequestListener` returns. */
type CreateListener = (options: {
  readonly hostname?: string;
}) => (req: IncomingMessage, res: ServerResponse) => unknown;

/** The host of a request that names none. No host can have this name (RFC 6761 §6.4), so no page has its origin. */
const unnamedHost = "host.invalid";

/**
 * Creates a listener that also takes requests without a Host from HTTP/1.0 clients, such as the health checks of some load
 * balancers. HTTP/1.1 requires the header (RFC 9112 §3.2).
 */
export function createVersionedListener(
  create: CreateListener,
): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const [listener, oldListener] = [create({}), create({ hostname: unnamedHost })];
  return async (req, res) => {
    await (req.httpVersion === "1.0" ? oldListener : listener)(req, res);
  };
}
