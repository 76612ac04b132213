import type { Client, ClientOptions } from "../../client/index.ts";
import { createHeading, element } from "../dom.ts";
import type { View } from "../view.ts";
import { now } from "./events.ts";

/** The name of the window, and the fragment of its URL. */
export const secondTabHash = "#second-tab";

/** A message between the two tabs. */
export type TabMessage =
  | { readonly type: "hello" | "bye" }
  | { readonly type: "call"; readonly at: number }
  | { readonly type: "called"; readonly status: number; readonly at: number; readonly milliseconds: number }
  | { readonly type: "out"; readonly at: number };

/** Opens the channel between the tabs. */
export function openChannel(): BroadcastChannel {
  return new BroadcastChannel("tokenpair demonstration");
}

/** Marks the requests of the second tab, so that the server knows its lane. */
export const markedFetch: NonNullable<ClientOptions["fetch"]> = (input, init) => {
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
  headers.set("X-Demo-Lane", "second");
  return fetch(input, { ...init, headers });
};

/** Calls the API when both tabs do. Returns the status and how long it took. */
export async function callApi(
  client: Client,
  path: string,
  at: number,
): Promise<{ status: number; milliseconds: number }> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - now())));
  const startedAt = performance.now();
  const response = await client.fetch(path).catch(() => undefined);
  return { status: response?.status ?? 0, milliseconds: performance.now() - startedAt };
}

/** Creates the view of the second tab. */
export function createSecondTab(client: Client, mePath: string): View {
  const heading = createHeading("h1", "Your second tab");
  const status = element("p", { role: "status" }, "It shares the session of the first tab. Watch the timeline there.");
  const channel = openChannel();
  const post = (message: TabMessage) => channel.postMessage(message);
  let wasIn = client.session().user !== undefined;

  channel.addEventListener("message", async ({ data }: MessageEvent<TabMessage>) => {
    if (data.type === "hello") post({ type: "hello" });
    if (data.type !== "call") return;
    const called = await callApi(client, mePath, data.at);
    post({ type: "called", at: now(), ...called });
    status.textContent = `Called the API together with the first tab: ${called.status}.`;
  });
  const stop = client.onChange(({ status: state }) => {
    if (state === "authenticated") wasIn = true;
    if (state !== "anonymous" || !wasIn) return;
    wasIn = false;
    post({ type: "out", at: now() });
    status.textContent = "Logged out, together with the first tab.";
  });
  addEventListener("pagehide", () => post({ type: "bye" }));
  post({ type: "hello" });
  return {
    root: element("section", { class: "card login" }, heading, status),
    focus: () => heading.focus(),
    dispose() {
      stop();
      channel.close();
    },
  };
}
