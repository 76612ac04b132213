/** What the pages of the application have: the client's functions, and a component that a server can render. */
import { createElement, type ReactElement } from "react";
import { hydrateRoot } from "react-dom/client";
import { type CookieClient, createClient, patchFetch, type SessionState } from "../../src/client/index.ts";
import { SessionProvider, useSession } from "../../src/client/react.ts";

/** The functions of the page that a test calls. */
export interface Library {
  readonly createClient: typeof createClient;
  readonly patchFetch: typeof patchFetch;
  /** Lets React take over what the server has rendered. Returns the differences that React reports from then on. */
  readonly hydrate: () => readonly string[];
}

/** The globals of the page. */
export interface ApplicationWindow {
  readonly library: Library;
  readonly initial: SessionState;
  client: CookieClient<{ readonly plan: string }>;
}

/** Shows who is logged in. */
export function Account({
  client,
  initial,
}: Pick<ApplicationWindow, "initial"> & { client: CookieClient }): ReactElement {
  return createElement(SessionProvider, { client, initial }, createElement(Name));
}

function Name(): ReactElement {
  const { status, user } = useSession();
  return createElement("h1", null, user ? `Hello ${user.username}` : status);
}

const library: Library = {
  createClient,
  patchFetch,
  hydrate() {
    const differences: string[] = [];
    const { client, initial } = globalThis as unknown as ApplicationWindow;
    const account = createElement(Account, { client, initial });
    const onRecoverableError = (error: unknown) => differences.push(String(error));
    hydrateRoot(document.querySelector("#root") as Element, account, { onRecoverableError });
    return differences;
  },
};

Object.assign(globalThis, { library });
