import type { Auth } from "../../auth.ts";
import type { Part } from "./app.ts";
import { toPlainJson } from "./plain-json.ts";
import { type Answer, createReadOnlyPart } from "./read-only-part.ts";

/**
 * `GET /healthz`: 200 while the process lives. `GET /readyz`: 200 when the store answers and the revocations are loaded
 * and fresh, else 503 with the reason.
 */
export function createHealth(auth: Pick<Auth, "health">): Part {
  const answers = new Map<string, Answer>([
    ["/healthz", () => toPlainJson(200, { status: "ok" })],
    ["/readyz", () => toReadiness(auth)],
  ]);
  return createReadOnlyPart((pathname) => answers.get(pathname.replace(/\/$/, "")));
}

async function toReadiness(auth: Pick<Auth, "health">): Promise<Response> {
  const health = await auth.health();
  if (health.ok) return toPlainJson(200, { status: "ok" });
  return toPlainJson(503, { detail: `Not ready: ${health.reason}.`, code: "unavailable" }, { "Retry-After": "1" });
}
