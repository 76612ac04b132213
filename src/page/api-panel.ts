import { type Client, ClientError } from "../client/index.ts";
import type { Connection } from "./connection.ts";
import { createButton, createHeading, element } from "./dom.ts";
import { toMessage } from "./messages.ts";

/** Creates a panel whose button calls the protected endpoint at `path` and shows the response. */
export function createApiPanel(client: Client, path: string, connection: Connection): HTMLElement {
  const status = element("p", { class: "message", role: "status" });
  const body = element("pre", {}, "The response appears here.");

  async function call(): Promise<void> {
    const startedAt = performance.now();
    let failure: ClientError | undefined;
    try {
      const response = await client.fetch(path);
      const text = await response.text();
      status.textContent = `${response.status} ${response.statusText} in ${Math.round(performance.now() - startedAt)} ms`;
      body.textContent = toPrettyJson(text);
      if (response.status >= 500) failure = new ClientError("unavailable", response.statusText);
    } catch (error) {
      failure = error instanceof ClientError ? error : offline();
      status.textContent = "No response";
      body.textContent = toMessage(failure);
    }
    connection.report(failure);
  }

  return element(
    "section",
    { class: "card" },
    createHeading("h2", "Call the API"),
    element("p", { class: "quiet" }, "This endpoint requires a login:"),
    element("div", { class: "submit" }, createButton(`GET ${path}`, call, { class: "code" }), status),
    body,
  );
}

/**
 * Creates the error for a failed `fetch`. `client.fetch` passes on the `TypeError` of `fetch`, whose message is different
 * in each browser.
 */
const offline = () => new ClientError("offline", "Could not reach the server.");

function toPrettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
