import type { Client } from "../../client/index.ts";
import { type Line, now, type Outcome } from "./events.ts";
import type { SecondTab } from "./holders.ts";
import { callApi, openChannel, secondTabHash, type TabMessage } from "./second-tab.ts";

/** This tab and the second one. */
export interface Pair {
  /** What is known about the second tab. */
  readonly second: () => SecondTab;
  /** Finds a second tab that is open already. */
  readonly greet: () => void;
  /**
   * Opens the second tab if necessary, and lets both tabs call the API at the same moment.
   *
   * @throws Error if the browser doesn't open it.
   */
  readonly callFromBoth: () => Promise<Outcome>;
  readonly dispose: () => void;
}

/** What the pair needs. */
export interface PairOptions {
  readonly client: Client;
  readonly mePath: string;
  readonly add: (line: Line) => void;
  /** Returns the number of the newest refresh token. */
  readonly generation: () => number;
  /** Waits until the server's events have made this true. They may arrive after the responses. */
  readonly see: (isTrue: () => boolean) => Promise<void>;
  /** Makes the server refuse the access token. */
  readonly expireAccess: () => Promise<void>;
  readonly onChange: () => void;
}

/** How long a tab waits for the other one, in milliseconds: to open, or for one of its requests and a repetition. */
const timeout = 20_000;

/** In how many milliseconds both tabs call the API. */
const sameMoment = 150;

/** Creates the pair. The second tab is closed. */
export function createPair({ client, mePath, add, generation, see, expireAccess, onChange }: PairOptions): Pair {
  const channel = openChannel();
  const post = (message: TabMessage) => channel.postMessage(message);
  let second: SecondTab = "closed";
  const listeners = new Set<(message: TabMessage) => void>();

  /** Waits for a message of the other tab. */
  function once<T extends TabMessage["type"]>(type: T): Promise<Extract<TabMessage, { readonly type: T }>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("The second tab doesn't answer.")), timeout);
      const listener = (message: TabMessage) => {
        if (message.type !== type) return;
        clearTimeout(timer);
        listeners.delete(listener);
        resolve(message as Extract<TabMessage, { readonly type: T }>);
      };
      listeners.add(listener);
    });
  }

  channel.addEventListener("message", ({ data }: MessageEvent<TabMessage>) => {
    const line = { at: now(), lane: "second" } as const;
    if (data.type === "hello" && second !== "open") {
      second = "open";
      add({ ...line, tone: "good", title: "Opens, shares the session", detail: "needs no login" });
    }
    if (data.type === "bye") second = "closed";
    if (data.type === "out" && second === "open") {
      second = "out";
      add({ ...line, at: data.at, tone: "odd", title: "Logged out", detail: "together with the first tab" });
    }
    for (const listener of [...listeners]) listener(data);
    onChange();
  });

  async function open(): Promise<void> {
    const window = globalThis.open(`/${secondTabHash}`, "tokenpair-second-tab", "popup,width=460,height=320");
    if (window === null) throw new Error("Your browser has blocked the window. Allow pop-ups for this page.");
    await once("hello");
  }

  return {
    second: () => second,
    greet() {
      second = "closed";
      post({ type: "hello" });
    },
    async callFromBoth() {
      if (second !== "open") await open();
      const before = generation();
      await expireAccess();
      const at = now() + sameMoment;
      const called = once("called");
      post({ type: "call", at });
      const [own, other] = await Promise.all([callApi(client, mePath, at), called]);
      const toLine = ({ status, milliseconds }: typeof own) => ({
        tone: status === 200 ? ("good" as const) : ("bad" as const),
        title: `Calls the API: ${status}`,
        detail: `${Math.round(milliseconds)} ms, with a refresh for both tabs`,
      });
      add({ at: now(), lane: "tab", ...toLine(own) });
      add({ at: other.at, lane: "second", ...toLine(other) });
      await see(() => generation() > before);
      const count = generation() - before;
      const refreshes = count === 1 ? "1 refresh" : `${count} refreshes`;
      return {
        tone: "good",
        text: `Both tabs needed a new token at the same moment. The server saw ${refreshes}, and both tabs continue.`,
      };
    },
    dispose: () => channel.close(),
  };
}
