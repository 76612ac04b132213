import { type Client, ClientError } from "../client/index.ts";
import { createButton, createHeading, element } from "./dom.ts";
import { toMessage } from "./messages.ts";

/** Calls the protected resource at `path` on request, and shows what it answers. */
export function createApiPanel(client: Client, path: string): HTMLElement {
  const status = element("p", { class: "message", role: "status" });
  const body = element("pre", {}, "The answer appears here.");

  async function call(): Promise<void> {
    const startedAt = performance.now();
    try {
      const response = await client.fetch(path);
      const text = await response.text();
      status.textContent = `${response.status} ${response.statusText} in ${Math.round(performance.now() - startedAt)} ms`;
      body.textContent = toPrettyJson(text);
    } catch (error) {
      status.textContent = "No answer";
      body.textContent = toMessage(error instanceof ClientError ? error : unreachable());
    }
  }

  return element(
    "section",
    { class: "card" },
    createHeading("h2", "Call the API"),
    element("p", { class: "quiet" }, "A protected resource that answers only to you:"),
    element("div", { class: "submit" }, createButton(`GET ${path}`, call, { class: "code" }), status),
    body,
  );
}

/** `fetch` itself says of a failed connection only that it has failed. */
const unreachable = () => new ClientError("offline", "The server could not be reached.");

function toPrettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
