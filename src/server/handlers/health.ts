import type { Auth } from "../../auth.ts";
import type { Handler } from "./app.ts";
import { toPlainJson } from "./plain-json.ts";
import { type Answer, createReadOnlyHandler } from "./read-only.ts";

/**
 * Creates the handler of the health checks. `GET /healthz` answers 200 while the process is alive. `GET /readyz`
 * answers 200 if the store answers and the revocations are loaded and fresh, and 503 with the reason if not.
 */
export function createHealth(auth: Pick<Auth, "health">): Handler {
  const answers = new Map<string, Answer>([
    ["/healthz", () => toPlainJson(200, { status: "ok" })],
    ["/readyz", () => toReadiness(auth)],
  ]);
  return createReadOnlyHandler((pathname) => answers.get(pathname.replace(/\/$/, "")));
}

async function toReadiness(auth: Pick<Auth, "health">): Promise<Response> {
  const health = await auth.health();
  if (health.ok) return toPlainJson(200, { status: "ok" });
  return toPlainJson(503, { detail: `Not ready: ${health.reason}.`, code: "unavailable" }, { "Retry-After": "1" });
}
