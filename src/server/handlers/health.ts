import type { Auth } from "../../auth.ts";
import type { Health } from "../../auth-results.ts";
import type { Handler } from "./app.ts";
import { type Answer, createReadOnlyHandler } from "./read-only.ts";
import { toStandardJson } from "./standard-json.ts";

/** The health of a server that is about to close. */
export const stopping: Health = Object.freeze({ ok: false, reason: "the server is stopping" });

/**
 * Creates the handler of the health checks. `GET /healthz` answers 200 while the process is alive. `GET /readyz` answers
 * 200 if the store answers and can be written to, and if the revocations are loaded and fresh. Otherwise, it answers 503
 * with the reason. If the only problem is that a database that several nodes share can't be written to, it answers 200 with
 * the status "degraded".
 */
export function createHealth(auth: Pick<Auth, "health">): Handler {
  const answers = new Map<string, Answer>([
    ["/healthz", () => toStandardJson(200, { status: "ok" })],
    ["/readyz", () => toReadiness(auth)],
  ]);
  return createReadOnlyHandler((pathname) => answers.get(pathname.replace(/\/$/, "")));
}

async function toReadiness(auth: Pick<Auth, "health">): Promise<Response> {
  const health = await auth.health();
  if (health.ok) {
    return toStandardJson(
      200,
      health.degraded === undefined ? { status: "ok" } : { status: "degraded", detail: toSentence(health.degraded) },
    );
  }
  return toStandardJson(503, { detail: `Not ready: ${health.reason}.`, code: "unavailable" }, { "Retry-After": "1" });
}

const toSentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
