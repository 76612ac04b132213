import type { Auth } from "../auth.ts";
import type { Part } from "./app.ts";
import { toPlainJson } from "./plain-json.ts";

/**
 * `GET /healthz`: 200 while the process lives. `GET /readyz`: 200 when the store answers and the revocations are loaded
 * and fresh, else 503 with the reason.
 */
export function createHealth(auth: Pick<Auth, "health">): Part {
  const answers = new Map<string, () => Promise<Response>>([
    ["/healthz", async () => toPlainJson(200, { status: "ok" })],
    ["/readyz", () => toReadiness(auth)],
  ]);
  return Object.freeze({
    handles: (pathname: string) => answers.has(withoutSlash(pathname)),
    async fetch(request: Request): Promise<Response> {
      const { method } = request;
      if (method === "OPTIONS") return new Response(null, { status: 204, headers: allow });
      if (method !== "GET" && method !== "HEAD") {
        return toPlainJson(405, { detail: `Method "${method}" not allowed.` }, allow);
      }
      const answer = answers.get(withoutSlash(new URL(request.url).pathname));
      return answer === undefined ? toPlainJson(404, { detail: "Not found.", code: "not_found" }) : answer();
    },
  });
}

const allow = { Allow: "GET, HEAD, OPTIONS" };

function withoutSlash(pathname: string): string {
  return pathname.endsWith("/") ? pathname.slice(0, -1) : pathname;
}

async function toReadiness(auth: Pick<Auth, "health">): Promise<Response> {
  const health = await auth.health();
  if (health.ok) return toPlainJson(200, { status: "ok" });
  return toPlainJson(503, { detail: `Not ready: ${health.reason}.`, code: "unavailable" }, { "Retry-After": "1" });
}
