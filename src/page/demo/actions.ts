import { type Client, ClientError, type CookieClient } from "../../client/index.ts";

/** The buttons of the server. */
export type DemoButton = "steal" | "use-copy" | "lose-response" | "expire-access" | "revoke" | "disable";

/** The requests of the demonstration. */
export interface DemoActions {
  /** The id of the page's run. */
  run: string;
  /** @throws ClientError if the server refuses. */
  readonly press: (button: DemoButton) => Promise<void>;
  /** Starts a new session of the same user. Returns whether the server did. */
  readonly startOver: () => Promise<boolean>;
}

/** What the requests need. */
export interface DemoActionOptions {
  readonly client: Client & Partial<Pick<CookieClient, "csrfToken">>;
  readonly authPath: string;
  readonly csrfHeader: string;
}

/** Creates the requests, for no run yet. */
export function createActions({ client, authPath, csrfHeader }: DemoActionOptions): DemoActions {
  const toInit = (headers: Readonly<Record<string, string>> = {}): RequestInit => ({
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify({ run: actions.run }),
  });
  const actions: DemoActions = {
    run: "",
    async press(button) {
      const path = button === "steal" ? `${authPath}/demo/steal/` : `/demo/${button}/`;
      const response = await client.fetch(path, toInit());
      if (!response.ok) throw new ClientError("refused", "The server has refused this. Start over.");
    },
    async startOver() {
      const token = (await client.csrfToken?.()) ?? "";
      const response = await fetch("/demo/start-over/", toInit({ [csrfHeader]: token }));
      return response.ok;
    },
  };
  return actions;
}
